import { Migration } from '@mikro-orm/migrations'

/**
 * A message that does not continue the message before it says which one it continues. Both indexes hold only such
 * messages: appends to a conversation without branches are in neither.
 */
export class Migration00005Branches extends Migration {
  override up(): void {
    this.addSql('alter table message add column parent_seq int')
    this.addSql('alter table conversation add column active_leaf int')
    this.addSql('alter table conversation add column is_branched boolean not null default false')
    this.addSql(`
      create index message_conversation_key_seq_parent_seq_index
      on message (conversation_key, seq) include (parent_seq) where parent_seq is not null
    `)
    this.addSql(`
      create index message_conversation_key_parent_seq_seq_index
      on message (conversation_key, parent_seq, seq) where parent_seq is not null
    `)
  }
}
