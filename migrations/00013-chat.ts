import { Migration } from '@mikro-orm/migrations'

/**
 * What people add to messages: reactions, replies and mentions, and feedback. Each has a table of its own, so an append
 * and a page without them pay nothing for them.
 */
export class Migration00013Chat extends Migration {
  override up(): void {
    this.addSql(`
      create table message_reaction (
        conversation_key uuid not null,
        seq int not null,
        emoji text collate "C" not null,
        user_id text collate "C" not null,
        revision bigint not null,
        primary key (conversation_key, seq, emoji, user_id),
        constraint message_reaction_message_foreign
          foreign key (conversation_key, seq) references message (conversation_key, seq) on delete cascade
      )
    `)
    this.addSql(`
      create table message_link (
        conversation_key uuid not null,
        seq int not null,
        reply_to_seq int,
        mentions jsonb not null,
        primary key (conversation_key, seq),
        constraint message_link_message_foreign
          foreign key (conversation_key, seq) references message (conversation_key, seq) on delete cascade
      )
    `)
    this.addSql(`
      create table message_feedback (
        conversation_key uuid not null,
        seq int not null,
        user_id text collate "C" not null,
        rating text not null,
        reason text,
        comment text,
        given_at timestamptz(6) not null,
        primary key (conversation_key, seq, user_id),
        constraint message_feedback_message_foreign
          foreign key (conversation_key, seq) references message (conversation_key, seq) on delete cascade
      )
    `)
    this.addSql(
      `alter table message_feedback add constraint message_feedback_rating_check check (rating in ('UP', 'DOWN'))`,
    )
    this.addSql(`
      create index message_feedback_given_at_conversation_key_seq_user_id_index
      on message_feedback (given_at, conversation_key, seq, user_id)
    `)
  }
}
