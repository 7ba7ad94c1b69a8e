import { Migration } from '@mikro-orm/migrations'

/** How far each user has read. It is no part of the log: to move a marker locks no conversation. */
export class Migration00010ReadMarkers extends Migration {
  override up(): void {
    this.addSql(`
      create table read_marker (
        conversation_key uuid not null,
        user_id text collate "C" not null,
        epoch bigint not null,
        seq int not null,
        updated_at timestamptz(6) not null,
        primary key (conversation_key, user_id)
      )
    `)
  }
}
