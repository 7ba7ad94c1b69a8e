import { Migration } from '@mikro-orm/migrations'

/**
 * Which conversations wait for a person, and which parts end when that is over. They have a table of their own: a
 * conversation that does not wait pays nothing.
 */
export class Migration00015Waiting extends Migration {
  override up(): void {
    this.addSql(`
      create table waiting (
        conversation_key uuid not null,
        epoch bigint not null,
        since timestamptz(6) not null,
        reason text,
        taken_at timestamptz(6),
        primary key (conversation_key)
      )
    `)
    this.addSql(
      'create index waiting_since_conversation_key_index on waiting (since, conversation_key) where taken_at is null',
    )
    this.addSql('alter table participant add column while_waiting boolean not null default false')
  }
}
