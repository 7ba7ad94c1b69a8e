import { Migration } from '@mikro-orm/migrations'

/**
 * An import may bring an `updated_at` that lies long ago. `imported_at` says when it was really written, so that feeds
 * of lists are told. The index holds a conversation only until its next ordinary change: appends are not in it.
 */
export class Migration00006ImportedAt extends Migration {
  override up(): void {
    this.addSql('alter table conversation add column imported_at timestamptz(6)')
    this.addSql(`
      create index conversation_user_id_imported_at_key_index
      on conversation (user_id, imported_at desc, key) where imported_at > updated_at
    `)
  }
}
