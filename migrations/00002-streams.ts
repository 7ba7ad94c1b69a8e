import { Migration } from '@mikro-orm/migrations'

/**
 * Messages that are still being written. Their text is in rows of `message_chunk`, which are only ever inserted. A
 * small row of `message_stream` says where each message stands. Both kinds of rows are deleted when the message is
 * complete, and with the message when it is erased.
 */
export class Migration00002Streams extends Migration {
  override up(): void {
    this.addSql('alter table message add column stop_requested_at timestamptz(6)')
    this.addSql('alter table message add column completion_hash bytea')
    this.addSql(`
      create table message_stream (
        conversation_key uuid not null,
        seq int not null,
        attempt int not null,
        next_chunk int not null,
        size int not null,
        timeout_seconds int not null,
        expires_at timestamptz(6) not null,
        primary key (conversation_key, seq),
        constraint message_stream_message_foreign
          foreign key (conversation_key, seq) references message (conversation_key, seq) on delete cascade
      ) with (fillfactor = 70)
    `)
    this.addSql('create index message_stream_expires_at_index on message_stream (expires_at)')
    this.addSql(`
      create table message_chunk (
        conversation_key uuid not null,
        seq int not null,
        chunk int not null,
        text text not null,
        data json,
        primary key (conversation_key, seq, chunk),
        constraint message_chunk_message_foreign
          foreign key (conversation_key, seq) references message (conversation_key, seq) on delete cascade
      )
    `)
  }
}
