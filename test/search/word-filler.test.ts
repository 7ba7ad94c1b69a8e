import { expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { search, searching } from '../support/search.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed({ SEARCH_FILL: 'on' })

const contents = async (api: Api, query: string) => (await search(api, query)).map(({ node }) => node.content)

async function ask(sql: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
  const client = await bed.database.connect()
  const { rows } = await client.query(sql, values)
  await client.end()
  return rows
}

test('an edited message is not found by its old words any more, at once, and by its new ones soon', async () => {
  const ada = bed.server.as({ 'x-user-id': 'editor' })
  const { message } = await ada.append('c', 'about apples')
  await searching(ada, 'c')
  const edit = 'mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { seq } } }'
  await ada.get(edit, { input: { messageId: message.id, content: 'about bananas' } })
  expect(await contents(ada, 'apples')).toEqual([])
  await searching(ada, 'c')
  expect(await contents(ada, 'apples')).toEqual([])
  expect(await contents(ada, 'bananas')).toEqual(['about bananas'])
})

test('a deleted message, and one of a deleted conversation, are not found at once, and leave no words', async () => {
  const ada = bed.server.as({ 'x-user-id': 'deleter' })
  const { message } = await ada.append('c', 'cherries here')
  await ada.append('d', 'cherries there')
  await searching(ada, 'c')
  await searching(ada, 'd')
  await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { seq } } }', {
    id: message.id,
  })
  expect(await contents(ada, 'cherries')).toEqual(['cherries there'])
  await ada.get('mutation { deleteConversation(input: { id: "d" }) { deletedConversationId } }')
  expect(await contents(ada, 'cherries')).toEqual([])
  await searching(ada, 'c')
  const left = `select from message_words w join conversation c on c.key = w.conversation_key
    where c.user_id = 'deleter' and (w.seq = $1 or c.id = 'd')`
  await until(async () => (await ask(left, message.seq)).length === 0)
  const places = `select from conversation_words w join conversation c on c.key = w.conversation_key
    where c.user_id = 'deleter' and c.id = 'd'`
  await until(async () => (await ask(places)).length === 0)
  // The id is used again: nothing of its earlier life is there.
  await ada.append('d', 'dates')
  await searching(ada, 'd')
  expect(await contents(ada, 'cherries')).toEqual([])
  expect(await contents(ada, 'dates')).toEqual(['dates'])
})

test('a server that starts fills what another one left', async () => {
  const ada = bed.server.as({ 'x-user-id': 'left' })
  await ada.append('c', 'grapes')
  await searching(ada, 'c')
  const key = "(select key from conversation where user_id = 'left')"
  // The server that is there has nothing more to do for it.
  const isWhole = `select from conversation c join conversation_words w on w.conversation_key = c.key
    where c.user_id = 'left' and w.revision = c.revision`
  await until(async () => (await ask(isWhole)).length === 1)
  await ask(`delete from message_words where conversation_key = ${key}`)
  await ask(`update conversation_words set seq = 0, revision = 0 where conversation_key = ${key}`)
  expect(await contents(ada, 'grapes')).toEqual([])
  await using _other = await serve(bed.database.url, { SEARCH_FILL: 'on' })
  await until(async () => (await contents(ada, 'grapes')).length === 1)
})

test('two servers that are told of the same conversation do not hold each other up', async () => {
  await using other = await serve(bed.database.url, { SEARCH_FILL: 'on' })
  const [one, two] = [bed.server.as({ 'x-user-id': 'both' }), other.as({ 'x-user-id': 'both' })]
  await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 ? one : two).append('c', `kiwi number${n}`)))
  for (let n = 0; n < 40; n++) await until(async () => (await search(one, `"number${n}"`)).length === 1)
  const rows = await ask(
    `select w.seq from message_words w join conversation c on c.key = w.conversation_key where c.user_id = 'both'`,
  )
  expect(rows).toHaveLength(40)
})

test('a message of 1 MiB is found by its beginning, and the messages after it are found too', async () => {
  const ada = bed.server.as({ 'x-user-id': 'large' })
  const words = Array.from({ length: 110_000 }, (_, n) => `word${n + 100_000}`).join(' ')
  await ada.append('c', { role: 'USER', content: `lemon ${words.slice(0, 1_048_000)}` })
  await ada.append('c', { role: 'USER', content: '漢'.repeat(300_000) })
  await ada.append('c', { role: 'USER', content: 'x'.repeat(1_000_000) })
  await ada.append('c', 'limes')
  await searching(ada, 'c')
  expect((await search(ada, '"lemon"')).map(({ node }) => node.seq)).toEqual([1])
  expect((await search(ada, 'limes'))[0]?.node.seq).toBe(4)
  expect((await search(ada, '"漢漢"')).map(({ node }) => node.seq)).toEqual([2])
})

test('a conversation of many messages is filled in steps', async () => {
  const ada = bed.server.as({ 'x-user-id': 'many' })
  const append = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'
  for (let part = 0; part < 5; part++) {
    const messages = Array.from({ length: 100 }, (_, n) => ({ role: 'USER', content: `plum${part * 100 + n}` }))
    await ada.get(append, { input: { conversationId: 'c', ifMissing: 'CREATE', messages } })
  }
  await searching(ada, 'c')
  for (const n of [0, 199, 200, 201, 399, 400, 499]) {
    expect((await search(ada, `"plum${n}"`)).map(({ node }) => node.seq)).toEqual([n + 1])
  }
  // More than a step of them change at once.
  await ada.get('mutation { clearConversation(input: { id: "c" }) { conversation { lastSeq } } }')
  await searching(ada, 'c')
  const rows = `select from message_words w join conversation c on c.key = w.conversation_key where c.user_id = 'many'`
  await until(async () => (await ask(rows)).length <= 1)
})
