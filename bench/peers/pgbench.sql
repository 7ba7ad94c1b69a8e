-- Made by npm run generate: the server's own statement for one append, and nothing around it: no HTTP, no GraphQL.
-- One commit per append.
\set conversation random(0, 9999)
\set owner :conversation / 100
\set length random(20, 1500)
\set client_high random(0, 2147483647)
\set client_low random(0, 2147483647)
\set zero 0
      with input as (select 1 as n, 'USER'::text as role, null::text as name, left(repeat('word ', 300), :length::int)::text as content, (:client_high::text || '-' || :client_low::text)::text as client_id, 'COMPLETE'::text as status, null::json as parts, null::text as parts_format, null::json as tool_calls, null::text as tool_name, null::text as tool_call_id, null::boolean as tool_error, null::text as model, null::text as finish_reason, null::json as usage, '{}'::jsonb as metadata, :length::int as size, null::timestamptz as sent_at, null::text as author_id, null::text as author_kind, null::text as author_name, '\x010000000000000000000000000000000000000000000000000000000000000000'::bytea as payload_hash),
      moved as (
      update conversation c set last_seq = c.last_seq + 1, revision = c.revision + 1, updated_at = greatest(now(), ((c.updated_at at time zone 'UTC') + interval '1 microsecond') at time zone 'UTC') where c.key = encode(substr(sha256(convert_to('user-' || :owner::text, 'UTF8') || '\x00'::bytea || convert_to(:conversation::text, 'UTF8')), 1, 16), 'hex')::uuid and (c.user_id = ('user-' || :owner::text) or exists (
    select from participant p
    where p.conversation_key = encode(substr(sha256(convert_to('user-' || :owner::text, 'UTF8') || '\x00'::bytea || convert_to(:conversation::text, 'UTF8')), 1, 16), 'hex')::uuid and p.user_id = ('user-' || :owner::text) and p.epoch = c.epoch and p.ended_at is null and p.role = 'MEMBER'
  )) and c.deleted_at is null and (nullif(:zero, 0)::bigint is null or c.epoch = nullif(:zero, 0)) and (nullif(:zero, 0)::int is null or c.last_seq = nullif(:zero, 0)) and c.active_leaf is null returning c.*),
      stored as (
        insert into message (conversation_key, seq, role, name, content, client_id, status, parts, parts_format, tool_calls, tool_name, tool_call_id, tool_error, model, finish_reason, usage, metadata, size, sent_at, author_id, author_kind, author_name, payload_hash, created_at, updated_at)
        select c.key, c.last_seq - 1 + input.n, input.role, input.name, input.content, input.client_id, input.status, input.parts, input.parts_format, input.tool_calls, input.tool_name, input.tool_call_id, input.tool_error, input.model, input.finish_reason, input.usage, input.metadata, input.size, input.sent_at, input.author_id, input.author_kind, input.author_name, input.payload_hash, c.updated_at, c.updated_at
        from moved c cross join input where c.key = encode(substr(sha256(convert_to('user-' || :owner::text, 'UTF8') || '\x00'::bytea || convert_to(:conversation::text, 'UTF8')), 1, 16), 'hex')::uuid)
      select moved.key as key, moved.epoch as epoch, moved.user_id as user_id, moved.id as id, moved.title as title, moved.last_seq as last_seq, moved.revision as revision, extract(epoch from moved.created_at at time zone interval '0') as created_at, extract(epoch from moved.updated_at at time zone interval '0') as updated_at, extract(epoch from moved.archived_at at time zone interval '0') as archived_at, moved.metadata as metadata, moved.changed_revision as changed_revision, extract(epoch from moved.deleted_at at time zone interval '0') as deleted_at, moved.active_leaf as active_leaf, moved.is_branched as is_branched, extract(epoch from moved.imported_at at time zone interval '0') as imported_at, moved.participants_revision as participants_revision, moved.is_searchable as is_searchable from moved;
