import { Migration } from '@mikro-orm/migrations'

/** What tokens say of their users: a name, and a picture. A user whose tokens say neither has no row. */
export class Migration00016People extends Migration {
  override up(): void {
    this.addSql(`
      create table person (
        user_id text collate "C" not null,
        name text,
        picture text,
        said_at timestamptz(6) not null,
        primary key (user_id)
      )
    `)
  }
}
