import { Migration } from '@mikro-orm/migrations'

/**
 * Messages that continue another one than the message before them say which. Both indexes hold only those: what a
 * conversation without branches appends is in neither.
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
