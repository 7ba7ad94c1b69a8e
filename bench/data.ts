import type { Client } from 'pg'

/** How much there is. */
export interface DataSet {
  /** Of 100 messages each, a hundred to a user. */
  readonly conversations: number
  /** Messages in one more conversation, `long` of the user `long`; 0: there is none. */
  readonly long: number
}

/** What the servers are compared on. */
export const standardData: DataSet = { conversations: 10_000, long: 0 }

/** The user who has the conversation of this number; its id is the number. */
export function ownerOf(conversation: number): string {
  return `user-${Math.floor(conversation / 100)}`
}

/**
 * Fills a migrated database. Users' messages have 20 to 220 characters and a client id, assistants' 100 to 1,500. They
 * were written in turns: ten messages of a conversation lie together, and then ten of another.
 */
export async function seed(client: Client, { conversations, long }: DataSet): Promise<void> {
  await client.query('set synchronous_commit = off')
  await seedConversations(client, conversations)
  await client.query(messagesSql, [standardMessages, 10])
  if (long > 0) {
    await client.query(longConversationSql, [long])
    await client.query(messagesSql, [long, long])
  }
  // As if all of their words were filled: no case is to measure how a server fills a million messages that it finds.
  await client.query('insert into conversation_words select key, epoch, last_seq, revision from conversation')
  await client.query(postgraphileSql)
  await client.query('vacuum (analyze)')
  await client.query('checkpoint')
}

/** The conversations alone. They count messages that they do not have, which no append asks for. */
export async function seedConversations(client: Client, conversations: number): Promise<void> {
  await client.query(conversationsSql, [conversations])
}

const standardMessages = 100

/** As the server makes keys: the first 128 bits of SHA-256 over (user, NUL, id). */
export function keyOf(user: string, id: string): string {
  const bytes = `convert_to(${user}, 'UTF8') || '\\x00'::bytea || convert_to(${id}, 'UTF8')`
  return `encode(substr(sha256(${bytes}), 1, 16), 'hex')::uuid`
}

function insertConversation(columns: string): string {
  return `
    insert into conversation
      (key, epoch, user_id, id, title, metadata, last_seq, revision, changed_revision, created_at, updated_at)
    select ${columns}`
}

const conversationsSql = insertConversation(`
  ${keyOf("'user-' || n / 100", 'n::text')}, n + 1, 'user-' || n / 100, n::text, 'Conversation ' || n, '{}',
  ${standardMessages}, ${standardMessages}, 1, now() - interval '1 hour', now() - n * interval '1 second'
  from generate_series(0, $1::int - 1) n`)

const longConversationSql = insertConversation(`
  ${keyOf("'long'", "'long'")}, 1, 'long', 'long', 'Long', '{}', $1::int, $1::int, 1, now() - interval '1 hour', now()`)

/** Of every conversation of $1 messages, in runs of $2. */
const messagesSql = `
  insert into message
    (conversation_key, seq, role, content, model, finish_reason, client_id, payload_hash, size, created_at, updated_at)
  select c.key, seq, case when is_user then 'USER' else 'ASSISTANT' end, substr(sample, 1 + draw % 500, length),
    case when not is_user then 'model-1' end, case when not is_user then 'stop' end,
    case when is_user then 'seed-' || seq end, case when is_user then '\\x01'::bytea || sha256(seq::text::bytea) end,
    length, c.created_at, c.created_at
  from (select string_agg('word' || n, ' ' order by n) as sample from generate_series(1, 300) n) words
  cross join generate_series(0, ($1::int - 1) / $2::int) run
  cross join conversation c
  cross join generate_series(1 + run * $2::int, least((run + 1) * $2::int, $1::int)) seq
  cross join lateral (select seq % 2 = 1 as is_user, hashint4(seq # c.epoch::int) & 2147483647 as draw) drawn
  cross join lateral (select case when is_user then 20 + draw % 200 else 100 + draw % 1400 end as length) measured
  where c.last_seq = $1::int and (c.id = 'long') = ($1::int = $2::int)
  order by run, c.key, seq`

/**
 * What PostGraphile's users write for themselves: a function for the append, one that finds a conversation, and what it
 * else takes from a foreign key.
 */
const postgraphileSql = `
  comment on table message is '@foreignKey (conversation_key) references conversation (key)';
  create schema bench;
  create function bench.conversation_of(user_id text, id text) returns conversation language sql stable as $$
    select c from conversation c
    where c.key = ${keyOf('$1', '$2')} and c.user_id = $1 and c.deleted_at is null
  $$;
  create function bench.append_message(user_id text, conversation_id text, role text, content text, client_id text)
  returns message language plpgsql volatile strict as $$
  #variable_conflict use_variable
  declare
    target conversation;
    stored message;
  begin
    select c.* into target from conversation c
    where c.key = ${keyOf('user_id', 'conversation_id')} and c.user_id = append_message.user_id and c.deleted_at is null
    for update;
    if not found then raise exception 'NOT_FOUND'; end if;
    select m.* into stored from message m
    where m.conversation_key = target.key and m.client_id = append_message.client_id;
    if stored.seq is not null then
      if stored.payload_hash <> '\\x01'::bytea || sha256(convert_to(content, 'UTF8')) then raise exception 'CONFLICT'; end if;
      return stored;
    end if;
    update conversation c set last_seq = c.last_seq + 1, revision = c.revision + 1,
      updated_at = greatest(clock_timestamp(), c.updated_at + interval '1 microsecond')
    where c.key = target.key returning c.* into target;
    insert into message
      (conversation_key, seq, role, content, client_id, payload_hash, size, created_at, updated_at)
    values (target.key, target.last_seq, role, content, client_id, '\\x01'::bytea || sha256(convert_to(content, 'UTF8')),
      octet_length(content), target.updated_at, target.updated_at)
    returning * into stored;
    return stored;
  end $$`
