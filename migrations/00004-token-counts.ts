import { Migration } from '@mikro-orm/migrations'

/**
 * How many tokens messages have, by encoding. A message is counted when a window first needs the count, and not when it
 * is stored.
 */
export class Migration00004TokenCounts extends Migration {
  override up(): void {
    this.addSql(`
      create table message_token_count (
        conversation_key uuid not null,
        seq int not null,
        encoding text collate "C" not null,
        revision bigint not null,
        tokens int not null,
        reasoning_tokens int not null,
        primary key (conversation_key, seq, encoding),
        constraint message_token_count_message_foreign
          foreign key (conversation_key, seq) references message (conversation_key, seq) on delete cascade
      )
    `)
  }
}
