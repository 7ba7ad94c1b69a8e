import { Migration } from '@mikro-orm/migrations'

/**
 * Who takes part in a conversation beside its owner, who has no row. A row stays for a while after it ended, so that
 * lists can tell of it. The columns of a message that say who wrote it are null where its owner did.
 */
export class Migration00008Participants extends Migration {
  override up(): void {
    this.addSql(`
      create table participant (
        conversation_key uuid not null,
        user_id text collate "C" not null,
        epoch bigint not null,
        role text not null,
        revision bigint not null,
        created_at timestamptz(6) not null,
        changed_at timestamptz(6) not null,
        ended_at timestamptz(6),
        primary key (conversation_key, user_id)
      )
    `)
    this.addSql('create index participant_user_id_changed_at_index on participant (user_id, changed_at)')
    this.addSql('create index participant_ended_at_index on participant (ended_at) where ended_at is not null')
    this.addSql('alter table conversation add column participants_revision bigint')
    this.addSql('alter table message add column author_id text collate "C"')
    this.addSql('alter table message add column author_kind text')
    this.addSql('alter table message add column author_name text')
    this.addSql(`alter table participant add constraint participant_role_check check (role in ('MEMBER', 'OBSERVER'))`)
    this.addSql(`
      alter table message add constraint message_author_kind_check check (author_kind in ('USER', 'AGENT', 'SERVICE'))
    `)
  }
}
