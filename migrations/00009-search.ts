import { Migration } from '@mikro-orm/migrations'

/**
 * The words of messages, for searches. Servers fill both tables beside the appends: nothing that writes messages knows of
 * them. What is not merged into the index yet is read through by each search, so it is kept short.
 */
export class Migration00009Search extends Migration {
  override up(): void {
    this.addSql('alter table conversation add column is_searchable boolean not null default true')
    this.addSql(`
      create table message_words (
        conversation_key uuid not null,
        seq int not null,
        revision bigint not null,
        parent_seq int not null,
        role text not null,
        created_at timestamptz(6) not null,
        length int not null,
        words tsvector not null,
        primary key (conversation_key, seq),
        constraint message_words_message_foreign
          foreign key (conversation_key, seq) references message (conversation_key, seq) on delete cascade
      )
    `)
    this.addSql(
      'create index message_words_words_index on message_words using gin (words) with (gin_pending_list_limit = 256)',
    )
    this.addSql(`
      create index message_words_conversation_key_parent_seq_index
      on message_words (conversation_key, parent_seq) where parent_seq <> seq - 1
    `)
    this.addSql(`
      create table conversation_words (
        conversation_key uuid primary key,
        epoch bigint not null,
        seq int not null,
        revision bigint not null
      )
    `)
  }
}
