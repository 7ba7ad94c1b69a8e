import { Migration } from '@mikro-orm/migrations'

/**
 * When rows were brought into the database, or taken back, in another way than by a server. It is a table of the whole
 * database, and not of a conversation: on Citus it stays on the coordinator.
 */
export class Migration00007Transfers extends Migration {
  override up(): void {
    this.addSql(`
      create table transfer (
        id uuid primary key,
        kind text not null,
        sha256 text,
        began_at timestamptz(6) not null,
        ended_at timestamptz(6)
      )
    `)
  }
}
