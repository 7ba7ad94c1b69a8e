import { Migration } from '@mikro-orm/migrations'

/**
 * Both tables can be distributed by the conversation's key: every unique constraint and foreign key contains it. The
 * pages of `conversation` keep room for updates in place, because every append updates its conversation's row.
 */
export class Migration00001Conversations extends Migration {
  override up(): void {
    this.addSql(`
      create table conversation (
        key uuid primary key,
        epoch bigint not null,
        user_id text collate "C" not null,
        id text collate "C" not null,
        title text,
        metadata jsonb not null default '{}',
        last_seq int not null default 0,
        revision bigint not null,
        changed_revision bigint not null,
        created_at timestamptz(6) not null,
        updated_at timestamptz(6) not null,
        archived_at timestamptz(6),
        deleted_at timestamptz(6)
      ) with (fillfactor = 80)
    `)
    this.addSql(
      'create index conversation_user_id_updated_at_key_index on conversation (user_id, updated_at desc, key)',
    )
    this.addSql('create index conversation_deleted_at_index on conversation (deleted_at) where deleted_at is not null')
    this.addSql(`
      create table message (
        conversation_key uuid not null constraint message_conversation_key_foreign references conversation (key),
        seq int not null,
        role text not null check (role in ('SYSTEM', 'DEVELOPER', 'USER', 'ASSISTANT', 'TOOL')),
        name text,
        content text,
        parts json,
        parts_format text check (parts_format in ('OPENAI_CHAT', 'OPENAI_RESPONSES', 'ANTHROPIC', 'AI_SDK', 'LANGCHAIN', 'OTHER')),
        tool_calls json,
        tool_name text,
        tool_call_id text,
        tool_error boolean,
        model text,
        finish_reason text,
        usage json,
        error json,
        metadata jsonb not null default '{}',
        client_id text collate "C",
        payload_hash bytea,
        status text not null default 'COMPLETE' check (status in ('STREAMING', 'COMPLETE', 'FAILED', 'CANCELLED')),
        size int not null,
        sent_at timestamptz(6),
        created_at timestamptz(6) not null,
        updated_at timestamptz(6) not null,
        edited_at timestamptz(6),
        deleted_at timestamptz(6),
        revision bigint,
        primary key (conversation_key, seq)
      )
    `)
    this.addSql(`
      create unique index message_conversation_key_client_id_unique
      on message (conversation_key, client_id) where client_id is not null
    `)
    this.addSql(`
      create unique index message_conversation_key_revision_unique
      on message (conversation_key, revision) where revision is not null
    `)
  }
}
