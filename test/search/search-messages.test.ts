import { describe, expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { failSearch, search, searching, searchPage } from '../support/search.ts'

const bed = useBed({ SEARCH_FILL: 'on' })

let users = 0
/** A user of the test's own, with these messages in the conversation `c`. */
async function withMessages(...messages: (string | Record<string, unknown>)[]): Promise<Api> {
  const api = bed.server.as({ 'x-user-id': `searcher-${++users}` })
  for (const message of messages) await api.append('c', message)
  await searching(api, 'c')
  return api
}

const seqs = async (api: Api, query: string, more: Record<string, unknown> = {}) =>
  (await search(api, query, more)).map(({ node }) => node.seq)

/** Those that have a word themselves, and not only their neighbours. */
const marked = async (api: Api, query: string, more: Record<string, unknown> = {}) =>
  (await search(api, query, more)).filter(({ snippet }) => snippet.ranges.length > 0).map(({ node }) => node.seq)

describe('a search finds', () => {
  test('any of the words, in another form, without case and accents', async () => {
    const api = await withMessages('We painted the café in Zürich', 'Nothing', 'Dancing is fun')
    for (const query of ['zurich', 'CAFE', 'paintings elsewhere', 'Zürich']) expect((await seqs(api, query))[0]).toBe(1)
    expect((await seqs(api, 'dances'))[0]).toBe(3)
    expect(await seqs(api, 'unheard')).toEqual([])
  })

  test('texts of scripts without spaces by pairs of characters', async () => {
    const api = await withMessages('東京都に行きました', 'ภาษาไทยไม่มีช่องว่าง', '저는 한국어를 공부해요', 'カタカナ')
    expect(await marked(api, '東京')).toEqual([1])
    expect(await marked(api, '京')).toEqual([1])
    expect(await marked(api, 'ภาษาไทย')).toEqual([2])
    expect(await marked(api, '한국어')).toEqual([3])
    expect(await marked(api, 'ｶﾀｶﾅ')).toEqual([4])
  })

  test('words of many languages', async () => {
    const api = await withMessages('Die Straßenbahn fährt', 'Привет, Алёна', 'مُحَمَّد', 'Łódź İstanbul', 'Ελλάς')
    expect(await marked(api, 'STRASSENBAHN')).toEqual([1])
    expect(await marked(api, 'привет алена')).toEqual([2])
    expect(await marked(api, 'محمد')).toEqual([3])
    expect(await marked(api, 'lodz')).toEqual([4])
    expect(await marked(api, 'istanbul')).toEqual([4])
    expect(await marked(api, 'ΕΛΛΑΣ')).toEqual([5])
  })

  test('the rarer word first, and the message that has more of the words', async () => {
    const api = await withMessages('red apple', 'x1', 'x2', 'x3', 'red pear', 'x4', 'x5', 'x6', 'red', 'x7', 'x8', 'x9')
    expect((await seqs(api, 'red pear'))[0]).toBe(5)
    expect((await marked(api, 'red pear')).sort()).toEqual([1, 5, 9])
  })

  test('a neighbour of what has the words, and less of it than the message itself', async () => {
    const api = await withMessages(
      'far away',
      'x1',
      'x2',
      'Where is the lighthouse?',
      'Behind the hill.',
      'x4',
      'x5',
      'x6',
    )
    const found = await search(api, 'lighthouse')
    expect(found.map(({ node }) => node.seq)).toEqual([4, 3, 5, 2, 6])
    expect(found[1]?.score).toBeCloseTo((found[0]?.score as number) * 0.4, 4)
    expect(found[3]?.score).toBeCloseTo((found[0]?.score as number) * 0.2, 4)
    expect(found[1]?.snippet).toEqual({ text: 'x2', ranges: [] })
  })

  test('the text of parts, results of tools and names of speakers, and neither reasoning nor arguments', async () => {
    const parts = [
      { type: 'thinking', thinking: 'hidden thoughts', signature: 's' },
      { type: 'text', text: 'visible words' },
    ]
    const api = await withMessages(
      { role: 'USER', name: 'Caroline', content: 'hello' },
      { role: 'ASSISTANT', parts, partsFormat: 'ANTHROPIC' },
      { role: 'ASSISTANT', toolCalls: [{ callId: 'a', name: 'f', arguments: '{"secret":"argument"}' }] },
      { role: 'TOOL', toolCallId: 'a', content: 'outcome' },
    )
    expect(await marked(api, 'caroline')).toEqual([1])
    expect(await marked(api, 'visible')).toEqual([2])
    expect(await marked(api, 'outcome')).toEqual([4])
    expect(await seqs(api, 'hidden')).toEqual([])
    expect(await seqs(api, 'argument')).toEqual([])
  })

  test('what a producer streamed, once it is complete', async () => {
    const api = await withMessages('ask')
    const { startMessage } = await api.get(
      'mutation { startMessage(input: { conversationId: "c" }) { message { id seq } attempt } }',
    )
    const { id } = startMessage.message
    const text = { messageId: id, attempt: startMessage.attempt, chunk: 0, text: 'streamed words' }
    await api.get('mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk } }', {
      input: text,
    })
    await searching(api, 'c')
    expect(await seqs(api, 'streamed')).toEqual([])
    await api.get('mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) { message { seq } } }', {
      input: { messageId: id, attempt: startMessage.attempt, chunks: 1 },
    })
    await searching(api, 'c')
    expect(await marked(api, 'streamed')).toEqual([startMessage.message.seq])
  })
})

describe('a query takes', () => {
  test('quotes: the words are there, side by side', async () => {
    const api = await withMessages('the old red house', 'the red old house', 'red', '東京都', '京都東')
    expect(await seqs(api, '"old red"')).toEqual([1])
    expect(await seqs(api, '"OLD, red"')).toEqual([1])
    expect((await seqs(api, '"red" house')).sort()).toEqual([1, 2, 3])
    expect(await seqs(api, '"東京都"')).toEqual([4])
  })

  test('a minus: the word is not there', async () => {
    const api = await withMessages('apple tree', 'apple pie', 'apple crumble', 'well-known')
    expect((await seqs(api, 'apple -pie')).sort()).toEqual([1, 3, 4])
    expect((await seqs(api, 'apple -"apple pie"')).sort()).toEqual([1, 3, 4])
    expect(await marked(api, 'well-known')).toEqual([4])
    expect(await seqs(api, '-pie')).toEqual([])
  })

  test('a star: any word that begins so', async () => {
    const api = await withMessages('international', 'internet', 'interim', 'into', 'other')
    expect((await marked(api, 'intern*')).sort()).toEqual([1, 2])
    expect((await marked(api, 'int*')).sort()).toEqual([1, 2, 3, 4])
  })

  test('any text at all', async () => {
    const api = await withMessages(`it's \\ a "quoted" & | ! ( ) : * <-> text`)
    const odd = [
      "'",
      '"',
      '\\',
      '-',
      '*',
      '&',
      '|',
      '!',
      '(',
      ':*',
      "a':*",
      '<->',
      '\u0000',
      '\ud800',
      '""',
      '-"',
      '👍',
      ' ',
    ]
    for (const one of [...odd, odd.join(''), odd.join(' '), `text ${odd.join(' ')}`]) {
      expect(await searchPage(api, one)).toHaveProperty('edges')
    }
    expect((await search(api, 'quoted &|!():*'))[0]?.node.seq).toBe(1)
  })

  test('1000 characters and no more', async () => {
    const api = await withMessages('word')
    expect(await seqs(api, 'word '.repeat(200))).toEqual([1])
    expect((await failSearch(api, `${'word '.repeat(200)}x`)).extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      path: 'query',
    })
  })
})

describe('a search shows', () => {
  test('the piece that has the words, and where they are in it', async () => {
    const far = 'filler words of no interest. '.repeat(100)
    const api = await withMessages(`${far}The Café is 👍 near the painting.${far}`)
    const [found] = await search(api, 'cafe paintings')
    const { text, ranges } = (found as NonNullable<typeof found>).snippet
    expect(text.length).toBeLessThanOrEqual(240)
    expect(ranges.map(({ start, end }) => text.slice(start, end))).toEqual(['Café', 'painting'])
  })

  test('the messages around it, on its path', async () => {
    const api = await withMessages('question', 'first answer', 'thanks')
    const { message } = await api
      .get('{ conversation(id: "c") { message(seq: 1) { id } } }')
      .then((d) => d.conversation)
    await api.append('c', { role: 'ASSISTANT', content: 'second response', parentId: message.id })
    await searching(api, 'c')
    const { searchMessages } = await api.get(
      `{ searchMessages(query: "response", first: 1) { edges { node { content } before { content } after { content } } } }`,
    )
    expect(searchMessages.edges[0]).toMatchObject({
      node: { content: 'second response' },
      before: { content: 'question' },
    })
    const first = await api.get(
      `{ searchMessages(query: "\\"first answer\\"") { edges { before { content } after { content } } } }`,
    )
    expect(first.searchMessages.edges).toEqual([{ before: { content: 'question' }, after: { content: 'thanks' } }])
    // The question is the neighbour of both answers; 'thanks' follows another one.
    const around = await search(api, 'response')
    expect(around.map(({ node }) => node.content).slice(0, 2)).toEqual(['second response', 'question'])
    expect(around.map(({ node }) => node.content)).not.toContain('thanks')
  })
})

describe('a search keeps to', () => {
  test('the messages of its viewer', async () => {
    const ada = await withMessages('shared secret word')
    const bob = await withMessages('other secret')
    expect((await search(bob, 'secret')).map(({ node }) => node.content)).toEqual(['other secret'])
    expect((await search(ada, 'secret')).map(({ node }) => node.content)).toEqual(['shared secret word'])
  })

  test('a conversation, times and roles', async () => {
    const api = await withMessages('pear', { role: 'ASSISTANT', content: 'a pear' }, 'x', 'y')
    await api.append('d', 'pear elsewhere')
    await searching(api, 'd')
    expect((await search(api, 'pear')).map(({ node }) => node.conversationId)).toContain('d')
    expect(await marked(api, 'pear', { conversationId: 'd' })).toEqual([1])
    expect(await marked(api, 'pear', { conversationId: 'c', roles: ['ASSISTANT'] })).toEqual([2])
    const { messages } = (await api.get('{ conversation(id: "c") { messages { nodes { createdAt } } } }')).conversation
    const [first, second] = messages.nodes.map(({ createdAt }: { createdAt: string }) => createdAt)
    expect(await marked(api, 'pear', { conversationId: 'c', from: second })).toEqual([2])
    expect(await marked(api, 'pear', { conversationId: 'c', from: first, to: second })).toEqual([1])
    expect((await failSearch(api, 'pear', { conversationId: 'nowhere' })).extensions.code).toBe('NOT_FOUND')
  })

  test('what may be searched: `searchable: false` counts at once, and can be taken back', async () => {
    const api = await withMessages('apricot')
    const update = `mutation ($on: Boolean) { updateConversation(input: { id: "c", searchable: $on }) { conversation { searchable } } }`
    expect((await api.get(update, { on: false })).updateConversation.conversation.searchable).toBe(false)
    expect(await seqs(api, 'apricot')).toEqual([])
    await expect.poll(async () => (await rowsOf(api)).length, { interval: 50 }).toBe(0)
    await api.get(update, { on: true })
    await searching(api, 'c')
    expect(await seqs(api, 'apricot')).toEqual([1])
    await api.get('mutation { createConversation(input: { id: "quiet", searchable: false }) { created } }')
    await api.append('quiet', 'apricot of the quiet')
    await searching(api, 'c')
    expect((await search(api, 'apricot')).map(({ node }) => node.conversationId)).not.toContain('quiet')
    const fork = 'mutation { forkConversation(input: { id: "quiet", newId: "fork" }) { conversation { searchable } } }'
    expect((await api.get(fork)).forkConversation.conversation.searchable).toBe(false)
  })

  test('1 to 50 results, and pages by a cursor of the same search', async () => {
    const api = await withMessages(...Array.from({ length: 12 }, (_, n) => `melon ${'x '.repeat(n)}`))
    const all = await searchPage(api, 'melon', { first: 50 })
    expect(all.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false })
    expect(all.edges).toHaveLength(12)
    const paged = []
    let after: unknown = null
    for (let page = 0; page < 3; page++) {
      const { edges, pageInfo } = await searchPage(api, 'melon', { first: 5, after })
      expect(pageInfo).toMatchObject({ hasNextPage: page < 2, hasPreviousPage: page > 0 })
      paged.push(...edges)
      after = pageInfo.endCursor
    }
    expect(paged.map(({ node }) => node.seq)).toEqual(all.edges.map(({ node }) => node.seq))
    const foreign = await failSearch(api, 'lemon', { after })
    expect(foreign.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'after' })
    expect((await failSearch(api, 'melon', { after: 'nonsense' })).extensions.code).toBe('BAD_USER_INPUT')
    expect((await failSearch(api, 'melon', { first: 51 })).extensions).toMatchObject({ path: 'first' })
    expect((await failSearch(api, 'melon', { first: 0 })).extensions).toMatchObject({ path: 'first' })
    expect((await search(api, 'melon')).length).toBe(10)
  })
})

async function rowsOf(api: Api): Promise<unknown[]> {
  const client = await bed.database.connect()
  const { rows } = await client.query(
    'select from message_words w join conversation c on c.key = w.conversation_key where c.user_id = $1',
    [api.identity['x-user-id']],
  )
  await client.end()
  return rows
}
