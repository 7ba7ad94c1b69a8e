import { Migration } from '@mikro-orm/migrations'

/**
 * What people answer to the tool calls of messages, and who has taken a conversation over. The answers have a table of
 * their own: an append and a page without them pay nothing.
 */
export class Migration00014Calls extends Migration {
  override up(): void {
    this.addSql(`
      create table message_approval (
        conversation_key uuid not null,
        seq int not null,
        call_id text collate "C" not null,
        user_id text collate "C" not null,
        approved boolean not null,
        reason text,
        answered_at timestamptz(6) not null,
        primary key (conversation_key, seq, call_id),
        constraint message_approval_message_foreign
          foreign key (conversation_key, seq) references message (conversation_key, seq) on delete cascade
      )
    `)
    this.addSql('alter table conversation add column taken_over_by text collate "C"')
  }
}
