import { Migration } from '@mikro-orm/migrations'

/** From which message on a participant reads; null: all of them. */
export class Migration00011HistoryFrom extends Migration {
  override up(): void {
    this.addSql('alter table participant add column history_from int')
  }
}
