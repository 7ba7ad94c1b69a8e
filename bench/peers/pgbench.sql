-- Our own single statement for an append, and nothing around it: no HTTP, no GraphQL. One commit per append.
\set conversation random(0, 9999)
\set owner :conversation / 100
\set length random(20, 1500)
\set client_high random(0, 2147483647)
\set client_low random(0, 2147483647)
with input as (
  select 1 as n, 'USER'::text as role, null::text as name, left(repeat('word ', 300), :length::int) as content, null::json as parts,
    null::text as parts_format, null::json as tool_calls, null::text as tool_name, null::text as tool_call_id,
    null::boolean as tool_error, null::text as model, null::text as finish_reason, null::json as usage,
    '{}'::jsonb as metadata, :client_high::text || '-' || :client_low::text as client_id,
    '\x010000000000000000000000000000000000000000000000000000000000000000'::bytea as payload_hash, :length::int as size,
    null::timestamptz as sent_at, 'COMPLETE'::text as status
),
moved as (
  update conversation c set last_seq = c.last_seq + 1, revision = c.revision + 1,
    updated_at = greatest(clock_timestamp(), c.updated_at + interval '1 microsecond')
  where c.key = encode(substr(sha256(convert_to('user-' || :owner::text, 'UTF8') || '\x00'::bytea
      || convert_to(:conversation::text, 'UTF8')), 1, 16), 'hex')::uuid
    and c.user_id = 'user-' || :owner::text and c.deleted_at is null
  returning c.key, c.epoch, c.user_id, c.id, c.title, c.metadata, c.last_seq, c.revision, c.changed_revision, c.created_at,
    c.updated_at, c.archived_at, c.deleted_at
),
stored as (
  insert into message
    (conversation_key, seq, role, name, content, parts, parts_format, tool_calls, tool_name, tool_call_id, tool_error, model,
     finish_reason, usage, metadata, client_id, payload_hash, size, sent_at, status, created_at, updated_at)
  select moved.key, moved.last_seq, input.role, input.name, input.content, input.parts, input.parts_format,
    input.tool_calls, input.tool_name, input.tool_call_id, input.tool_error, input.model, input.finish_reason, input.usage,
    input.metadata, input.client_id, input.payload_hash, input.size, input.sent_at, input.status, moved.updated_at,
    moved.updated_at
  from moved cross join input
)
select * from moved;
