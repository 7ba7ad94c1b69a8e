import { createClient } from 'graphql-ws'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { openThread, type Thread, type ThreadOptions, type UnsentStorage } from '../../client/src/assistant-ui.ts'
import { resumable, streamMessage } from '../../client/src/index.ts'
import { Typing } from '../../client/src/thread/typing.ts'
import { useBed } from '../support/bed.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { until } from '../support/until.ts'

const bed = useBed()
expectNothingOpenAfterEach(bed)

const ada = { 'x-user-id': 'ada' }
const clients: (() => void)[] = []

afterEach(() => {
  for (const end of clients.splice(0)) end()
})

/** A thread of ada's, or of whoever is named, on a socket of its own. */
function open(conversationId: string, more: Partial<ThreadOptions> = {}, url = bed.server.url, who = ada): Thread {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    connectionParams: who,
    webSocketImpl: WebSocket,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async () => {},
  })
  const thread = openThread({ client: resumable(client), conversationId, schedule: setImmediate, ...more })
  clients.push(() => {
    thread.close()
    void client.dispose()
  })
  return thread
}

const store = (thread: Thread) => thread.snapshot().store
const shown = (thread: Thread) => store(thread).messages
const texts = (thread: Thread) =>
  shown(thread).map(({ content }) => content.map((part) => ('text' in part ? part.text : part.type)).join(' '))
const states = (thread: Thread) => shown(thread).map(({ metadata }) => metadata.custom.sent)
const shows = (thread: Thread, ...expected: string[]) => until(() => texts(thread).join('|') === expected.join('|'))
const isReady = (thread: Thread) => until(() => thread.snapshot().status === 'ready')
const written = (text: string, sourceId: string | null = null) => ({ sourceId, content: [{ type: 'text', text }] })
const versions = (thread: Thread, index: number) => shown(thread)[index]?.metadata.custom.siblings

/** A storage as a browser has it. */
class Kept extends Map<string, string> implements UnsentStorage {
  getItem = (key: string) => this.get(key) ?? null
  setItem = (key: string, value: string) => void this.set(key, value)
  removeItem = (key: string) => void this.delete(key)
}

describe('a thread shows', () => {
  test('the newest page, and earlier pages when they are asked for', async () => {
    const api = bed.server.as()
    for (let n = 1; n <= 7; n++) await api.append('pages', String(n))
    const thread = open('pages', { pageSize: 3 })
    await shows(thread, '5', '6', '7')
    expect(store(thread).hasEarlier).toBe(true)
    await store(thread).onLoadEarlier()
    await shows(thread, '2', '3', '4', '5', '6', '7')
    await store(thread).onLoadEarlier()
    await shows(thread, '1', '2', '3', '4', '5', '6', '7')
    expect(store(thread).hasEarlier).toBe(false)
  })

  test('any message with what stands around it, and reads on from there until the newest is shown', async () => {
    const api = bed.server.as()
    const ids: string[] = []
    for (let n = 1; n <= 20; n++) ids.push((await api.append('around', String(n))).message.id)
    const id = (n: number) => ids[n - 1] as string
    const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`)
    const thread = open('around', { pageSize: 3 })
    await shows(thread, '18', '19', '20')
    expect(await thread.reveal(id(19))).toBe(id(19))
    expect(thread.snapshot().later).toBe(null)

    expect(await thread.reveal(id(8))).toBe(id(8))
    expect(texts(thread)).toEqual(numbers(6, 11))
    await api.append('around', '21')
    await api.get('mutation { updateConversation(input: { id: "around", title: "T" }) { conversation { id } } }')
    await until(() => thread.snapshot().title === 'T')
    expect(texts(thread)).toEqual(numbers(6, 11))
    while (thread.snapshot().later !== null) {
      const before = thread.snapshot()
      await before.later?.()
      await until(() => thread.snapshot() !== before)
    }
    await shows(thread, ...numbers(6, 21))

    expect(await thread.reveal(id(1))).toBe(id(1))
    expect(texts(thread)).toEqual(numbers(1, 4))
    await store(thread).onNew(written('22'))
    await shows(thread, ...numbers(6, 22))

    await api.append('around', { role: 'USER', content: 'other', parentId: id(2) })
    await shows(thread, '1', '2', 'other')
    expect(await thread.reveal(id(15))).toBe(id(15))
    expect(texts(thread)).toEqual(expect.arrayContaining(numbers(13, 17)))
    expect(await thread.reveal('msg_of_nobody')).toBe(null)
  })

  test('what others append, change and delete, and the title', async () => {
    const api = bed.server.as()
    await api.append('others', 'one')
    const thread = open('others')
    await shows(thread, 'one')
    const { message } = await api.append('others', 'two')
    await shows(thread, 'one', 'two')
    await api.get(
      'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "2" }) { message { id } } }',
      message,
    )
    await shows(thread, 'one', '2')
    expect(shown(thread)[1]?.metadata.custom.isEdited).toBe(true)
    await api.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', message)
    await until(() => shown(thread)[1]?.metadata.custom.isDeleted === true)
    await api.get('mutation { updateConversation(input: { id: "others", title: "T" }) { conversation { id } } }')
    await until(() => thread.snapshot().title === 'T')
    await api.get('mutation { deleteConversation(input: { id: "others" }) { deletedConversationId } }')
    await until(() => thread.snapshot().status === 'deleted')
  })

  test('all that an assistant said and did in a turn as one message, with the results in their calls', async () => {
    const api = bed.server.as()
    const call = { callId: 'c1', name: 'find', arguments: '{"id":4}' }
    const parts = [{ type: 'reasoning_content', reasoning_content: 'I look.' }]
    await api.append('turn', 'Where?')
    await api.append('turn', { role: 'ASSISTANT', toolCalls: [call], parts, partsFormat: 'OPENAI_CHAT' })
    const thread = open('turn')
    await shows(thread, 'Where?', 'I look. tool-call')
    expect(shown(thread)[1]?.content[1]).not.toHaveProperty('result')
    await api.append('turn', { role: 'TOOL', toolCallId: 'c1', content: '{"at":"home"}' })
    await api.append('turn', { role: 'ASSISTANT', content: 'At home.' })
    await shows(thread, 'Where?', 'I look. tool-call At home.')
    expect(shown(thread)[1]?.content[1]).toEqual({
      type: 'tool-call',
      toolCallId: 'c1',
      toolName: 'find',
      args: { id: 4 },
      argsText: '{"id":4}',
      result: { at: 'home' },
      isError: false,
    })
  })

  test('reasoning and pictures in the parts of each SDK', async () => {
    const api = bed.server.as()
    const url = 'data:image/png;base64,AA=='
    const source = { type: 'base64', media_type: 'image/png', data: 'AA==' }
    const said: [string, object[]][] = [
      [
        'OPENAI_CHAT',
        [
          { type: 'text', text: 'a' },
          { type: 'image_url', image_url: { url } },
        ],
      ],
      [
        'OPENAI_RESPONSES',
        [
          { type: 'input_text', text: 'a' },
          { type: 'input_image', image_url: url },
        ],
      ],
      [
        'ANTHROPIC',
        [
          { type: 'text', text: 'a' },
          { type: 'image', source },
        ],
      ],
      [
        'AI_SDK',
        [
          { type: 'text', text: 'a' },
          { type: 'file', mediaType: 'image/png', url },
        ],
      ],
    ]
    for (const [partsFormat, parts] of said) await api.append('pictures', { role: 'USER', partsFormat, parts })
    const thread = open('pictures')
    await shows(thread, ...said.map(() => 'a image'))
    for (const { content } of shown(thread)) expect(content[1]).toEqual({ type: 'image', image: url })

    const thought: [string, object[]][] = [
      [
        'ANTHROPIC',
        [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'text', text: 'a' },
        ],
      ],
      [
        'AI_SDK',
        [
          { type: 'reasoning', text: 'hm' },
          { type: 'text', text: 'a' },
        ],
      ],
    ]
    for (const [partsFormat, parts] of thought) {
      await api.append('pictures', 'next')
      await api.append('pictures', { role: 'ASSISTANT', partsFormat, parts })
    }
    await until(() => shown(thread).length === 8)
    for (const index of [5, 7]) expect(shown(thread)[index]?.content[0]).toEqual({ type: 'reasoning', text: 'hm' })
  })

  test('text as it streams, with one change for each frame, and whether it runs', async () => {
    const frames: (() => void)[] = []
    const paint = () => {
      for (const frame of frames.splice(0)) frame()
    }
    await bed.server.as().append('stream', 'Tell.')
    const thread = open('stream', { schedule: (work) => frames.push(work) })
    const settled = (isTrue: () => boolean) =>
      until(() => {
        const isSo = isTrue()
        paint()
        return isSo
      })
    await settled(() => thread.snapshot().status === 'ready')
    const answer = streamMessage({ url: `${bed.server.url}/graphql`, connectionParams: ada, conversationId: 'stream' })
    answer.write('one ')
    await settled(() => texts(thread)[1] === 'one ')
    expect(store(thread).isRunning).toBe(true)
    expect(shown(thread)[1]?.status).toEqual({ type: 'running' })
    const [question] = shown(thread)
    let most = 0
    // Text with data is a piece of its own.
    for (const word of ['two ', 'three ', 'four']) answer.write(word, { word })
    await settled(() => {
      most = Math.max(most, frames.length)
      return texts(thread)[1] === 'one two three four'
    })
    expect(most).toBeLessThanOrEqual(1)
    expect(store(thread).isRunning).toBe(true)
    await answer.complete()
    await settled(() => shown(thread)[1]?.status?.type === 'complete')
    expect(texts(thread)[1]).toBe('one two three four')
    expect(shown(thread)[0]).toBe(question)
    expect(store(thread).isRunning).toBe(false)
  })
})

describe('what is written in a thread', () => {
  test('is shown at once, and makes the conversation that is missing', async () => {
    const newConversation = (text: string) => ({ title: text.toUpperCase(), metadata: { a: 1 } })
    const thread = open('fresh', { newConversation })
    await until(() => thread.snapshot().status === 'missing')
    await store(thread).onNew(written('hello'))
    await until(() => states(thread)[0] === 'pending')
    expect(texts(thread)).toEqual(['hello'])
    const [{ id } = { id: '' }] = shown(thread)
    await until(() => states(thread)[0] === 'sent')
    expect(shown(thread)[0]?.id).toBe(id)
    const { conversation } = await bed.server.as().get('{ conversation(id: "fresh") { title metadata } }')
    expect(conversation).toEqual({ title: 'HELLO', metadata: { a: 1 } })
  })

  test('is stored once and in its order, though the line is lost before each answer', async () => {
    await bed.server.as().append('cut', 'first')
    await using proxy = await TcpProxy.before({ url: bed.server.url })
    const thread = open('cut', {}, proxy.url)
    await isReady(thread)
    const cut = new Set<string>()
    proxy.endsBefore = (bytes) => {
      const name = /"content":"(w\d)"/.exec(bytes.toString())?.[1]
      if (name === undefined || cut.has(name)) return false
      cut.add(name)
      return true
    }
    for (const text of ['w1', 'w2', 'w3']) await store(thread).onNew(written(text))
    await until(() => shown(thread).length === 4 && states(thread).every((state) => state === 'sent'))
    expect(cut.size).toBe(3)
    const { conversation } = await bed.server.as().get('{ conversation(id: "cut") { messages { nodes { content } } } }')
    expect(conversation.messages.nodes.map(({ content }: { content: string }) => content)).toEqual([
      'first',
      'w1',
      'w2',
      'w3',
    ])
    expect(texts(thread)).toEqual(['first', 'w1', 'w2', 'w3'])
  })

  test('is kept while there is no server, and sent once by the next thread', async () => {
    await bed.server.as().append('kept', 'first')
    const storage = new Kept()
    const offline = open('kept', { storage }, 'http://127.0.0.1:1')
    await store(offline).onNew(written('later'))
    await until(() => states(offline)[0] === 'pending')
    offline.close()
    expect(storage.size).toBe(1)

    const [one, other] = [open('kept', { storage }), open('kept', { storage })]
    for (const thread of [one, other]) await until(() => states(thread).join() === 'sent,sent')
    expect(texts(one)).toEqual(['first', 'later'])
    const { conversation } = await bed.server.as().get('{ conversation(id: "kept") { lastSeq } }')
    expect(conversation.lastSeq).toBe(2)
    expect(storage.size).toBe(0)
  })

  test('says why it was refused, and may be sent again or forgotten', async () => {
    const thread = open('absent')
    await until(() => thread.snapshot().status === 'missing')
    await store(thread).onNew(written('one'))
    await store(thread).onNew(written('two'))
    await until(() => states(thread).join() === 'failed,failed')
    expect(shown(thread)[0]?.metadata.custom.problem).toMatch(/no conversation/)
    await bed.server.as().get('mutation { createConversation(input: { id: "absent" }) { created } }')
    const [one, two] = shown(thread).map(({ id }) => id)
    thread.discard(two ?? '')
    thread.retry(one ?? '')
    await until(() => states(thread).join() === 'sent')
    expect(texts(thread)).toEqual(['one'])
  })

  test('may have pictures', async () => {
    const image = 'data:image/png;base64,AA=='
    await bed.server.as().append('send-picture', 'first')
    const thread = open('send-picture')
    await isReady(thread)
    await store(thread).onNew({ ...written('see'), attachments: [{ content: [{ type: 'image', image }] }] })
    await until(() => states(thread).join() === 'sent,sent')
    expect(shown(thread)[1]?.content).toEqual([
      { type: 'text', text: 'see' },
      { type: 'image', image },
    ])
    expect(
      (await bed.server.as().get('{ conversation(id: "send-picture") { lastMessage { content } } }')).conversation,
    ).toEqual({
      lastMessage: { content: 'see' },
    })
  })
})

describe('versions', () => {
  /** Q1, A1, Q2, A2 */
  async function talk(id: string): Promise<void> {
    const api = bed.server.as()
    for (const n of [1, 2]) {
      await api.append(id, `Q${n}`)
      await api.append(id, { role: 'ASSISTANT', content: `A${n}` })
    }
  }

  test('a message in other words begins a branch, which the other screens follow', async () => {
    await talk('edit')
    const [mine, other] = [open('edit'), open('edit')]
    for (const thread of [mine, other]) await shows(thread, 'Q1', 'A1', 'Q2', 'A2')
    await store(mine).onEdit(written('Q2b', shown(mine)[2]?.id))
    await until(() => texts(mine).join() === 'Q1,A1,Q2b')
    for (const thread of [mine, other]) {
      await shows(thread, 'Q1', 'A1', 'Q2b')
      await until(() => versions(thread, 2)?.count === 2)
      expect(versions(thread, 2)?.index).toBe(1)
    }
  })

  test('are looked at on one screen alone, whole, and are continued from there', async () => {
    await talk('look')
    const [mine, other] = [open('look', { pageSize: 2 }), open('look')]
    await shows(mine, 'Q2', 'A2')
    await shows(other, 'Q1', 'A1', 'Q2', 'A2')
    await store(other).onEdit(written('Q2b', shown(other)[2]?.id))
    await until(() => versions(mine, 1)?.count === 2 || versions(mine, 0)?.count === 2)
    const first = shown(mine).flatMap(({ metadata }) => metadata.custom.siblings?.ids ?? [])[0]
    await mine.look(first as string)
    await until(() => texts(mine).slice(-2).join() === 'Q2,A2')
    await shows(other, 'Q1', 'A1', 'Q2b')
    expect(mine.snapshot().elsewhere).toBeNull()

    await bed.server.as().append('look', { role: 'ASSISTANT', content: 'A2b' })
    await shows(other, 'Q1', 'A1', 'Q2b', 'A2b')
    await until(() => mine.snapshot().elsewhere !== null)
    expect(texts(mine).slice(-2)).toEqual(['Q2', 'A2'])
    mine.snapshot().elsewhere?.()
    await until(() => texts(mine).slice(-2).join() === 'Q2b,A2b')
    expect(mine.snapshot().elsewhere).toBeNull()
    expect(other.snapshot().elsewhere).toBeNull()
    await mine.look(first as string)
    await until(() => texts(mine).slice(-2).join() === 'Q2,A2')

    await store(mine).onNew(written('Q3'))
    await until(() => texts(mine).slice(-3).join() === 'Q2,A2,Q3' && states(mine).at(-1) === 'sent')
    await shows(other, 'Q1', 'A1', 'Q2', 'A2', 'Q3')
  })

  test('of an answer come when its question is the active leaf again', async () => {
    await talk('again')
    const thread = open('again')
    await shows(thread, 'Q1', 'A1', 'Q2', 'A2')
    await store(thread).onReload(shown(thread)[2]?.id ?? '')
    await shows(thread, 'Q1', 'A1', 'Q2')
    await bed.server.as().append('again', { role: 'ASSISTANT', content: 'A2b' })
    await shows(thread, 'Q1', 'A1', 'Q2', 'A2b')
    await until(() => versions(thread, 3)?.count === 2)
    await thread.look(versions(thread, 3)?.ids[0] ?? '')
    await shows(thread, 'Q1', 'A1', 'Q2', 'A2')
    await thread.look(versions(thread, 3)?.ids[1] ?? '')
    await shows(thread, 'Q1', 'A1', 'Q2', 'A2b')
  })

  test('an answer that streams is stopped', async () => {
    await bed.server.as().append('stop', 'Tell.')
    const thread = open('stop')
    await isReady(thread)
    const answer = streamMessage({ url: `${bed.server.url}/graphql`, connectionParams: ada, conversationId: 'stop' })
    answer.write('word ')
    await until(() => store(thread).isRunning)
    await store(thread).onCancel()
    await until(() => shown(thread)[1]?.metadata.custom.isStopping === true)
    answer.write('more')
    await until(() => answer.stopRequested)
    await answer.complete({ status: 'CANCELLED' })
    await until(() => shown(thread)[1]?.status?.type === 'incomplete')
    expect(shown(thread)[1]?.status).toEqual({ type: 'incomplete', reason: 'cancelled' })
  })
})

describe('beside the messages', () => {
  const more = ['approvals', 'reactions', 'replies', 'feedback', 'people'] as const
  const custom = (thread: Thread, index: number) => shown(thread)[index]?.metadata.custom
  const bob = { 'x-user-id': 'bob' }
  const everything = { more: [...more] }

  /** A conversation of ada's, in which bob is a member. @returns the id that bob has for it */
  async function share(id: string, role = 'MEMBER'): Promise<string> {
    const add = `mutation ($id: ID!, $role: ParticipantRole!) {
      addParticipant(input: { conversationId: $id, userId: "bob", role: $role }) { conversation { id } }
    }`
    await bed.server.as().append(id, 'first')
    await bed.server.as().get(add, { id, role })
    return (await bed.server.as(bob).get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0].id
  }

  test('nothing is asked for that was not named', async () => {
    const sent: string[] = []
    const subscribe = ({ query }: { readonly query: string }) => {
      sent.push(query)
      return () => {}
    }
    const thread = open('plain', { client: { subscribe, iterate: none } })
    await until(() => sent.length > 0)
    expect(sent.join()).not.toMatch(/takenOverBy|viewerRole|readSeq/)
    expect(thread.snapshot().people).toBe(null)
    expect(Object.keys(store(thread))).not.toContain('onRespondToToolApproval')
  })

  test('a call that people are asked about is approved, or refused with a reason, once', async () => {
    const api = bed.server.as()
    const call = { name: 'refund', arguments: '{}' }
    const toolCalls = ['c1', 'c2', 'c3'].map((callId) => ({ ...call, callId }))
    await api.append('calls', 'Refund.')
    await api.append('calls', { role: 'ASSISTANT', toolCalls, metadata: { needsApproval: ['c1', 'c2'] } })
    const thread = open('calls', everything)
    const approvals = () =>
      shown(thread)[1]?.content.map((part) => (part.type === 'tool-call' ? part.approval : undefined)) ?? []
    await until(() => approvals().length === 3)
    const [first, second, third] = approvals()
    expect(third).toBe(undefined)
    expect(shown(thread)[1]?.status).toEqual({ type: 'requires-action', reason: 'tool-calls' })
    await store(thread).onRespondToToolApproval?.({ approvalId: first?.id ?? '', approved: true })
    await thread.answerCall(second?.id ?? '', { approved: false, reason: 'No.' })
    await until(() => approvals()[1]?.approved === false)
    expect(approvals().slice(0, 2)).toEqual([
      { id: first?.id, approved: true, userId: 'ada' },
      { id: second?.id, approved: false, userId: 'ada', reason: 'No.' },
    ])
    expect(shown(thread)[1]?.status?.type).toBe('complete')
    await expect(thread.answerCall(second?.id ?? '', { approved: true })).rejects.toThrow(/refused this call already/)
  })

  test('a call that nobody has answered is over when the conversation goes on', async () => {
    const api = bed.server.as()
    const toolCalls = [{ callId: 'c1', name: 'refund', arguments: '{}' }]
    await api.append('over', 'Refund.')
    await api.append('over', { role: 'ASSISTANT', toolCalls, metadata: { needsApproval: ['c1'] } })
    const thread = open('over', everything)
    await until(() => shown(thread)[1]?.status?.type === 'requires-action')
    await api.append('over', 'No, leave it.')
    await until(() => shown(thread)[1]?.status?.type === 'complete')
    expect(shown(thread)[1]?.content[0]).toMatchObject({ approval: { resolution: 'expired' } })
  })

  test('reactions are shown at once, of a whole turn, and taken back if they are refused', async () => {
    const other = await share('react')
    const [mine, his] = [open('react', everything), open(other, everything, bed.server.url, bob)]
    for (const thread of [mine, his]) await shows(thread, 'first')
    const id = shown(mine)[0]?.id ?? ''
    const all = [mine.react(id, '👍', true), mine.react(id, '🎉', true), mine.react(id, '👍', false)]
    const emojis = (thread: Thread) => custom(thread, 0)?.reactions.map(({ emoji }) => emoji)
    await until(() => emojis(mine)?.join() === '🎉')
    await Promise.all(all)
    await until(() => emojis(his)?.join() === '🎉')
    expect(custom(his, 0)?.reactions).toEqual([{ emoji: '🎉', count: 1, viewerReacted: false }])
    await his.react(shown(his)[0]?.id ?? '', '🎉', true)
    await until(() => custom(mine, 0)?.reactions[0]?.count === 2)
    const isShown = new Promise<void>((resolve) => mine.subscribe(resolve))
    const refused = mine.react(id, 'no emoji', true)
    await isShown
    expect(custom(mine, 0)?.reactions).toHaveLength(2)
    await expect(refused).rejects.toThrow(/emoji/)
    await until(() => custom(mine, 0)?.reactions.length === 1)
  })

  test('a reply shows what it is about, before it is sent too, until that is deleted', async () => {
    const api = bed.server.as()
    for (let n = 1; n <= 6; n++) await api.append('reply', { role: 'USER', content: `m${n}`, clientId: `reply-${n}` })
    const thread = open('reply', { ...everything, pageSize: 2 })
    await shows(thread, 'm5', 'm6')
    const quote = { messageId: 'reply-5', text: 'm5' }
    await store(thread).onNew({ ...written('yes'), metadata: { custom: { quote } } })
    await until(() => shown(thread).length === 3)
    expect(custom(thread, 2)).toMatchObject({ quote, replyTo: { content: 'm5', author: { userId: 'ada' } } })
    await until(() => states(thread)[2] === 'sent')
    expect(custom(thread, 2)).toMatchObject({ quote })
    const replied = custom(thread, 2)?.replyTo?.id ?? ''

    const { conversation } = await api.get('{ conversation(id: "reply") { message(seq: 1) { id } } }')
    expect(await thread.reveal(conversation.message.id)).toBe('reply-1')
    await until(() => texts(thread)[0] === 'm1')
    thread.showNewest()
    await until(() => texts(thread).at(-1) === 'yes')
    await api.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', {
      id: replied,
    })
    await until(() => custom(thread, shown(thread).length - 1)?.replyTo === null)
  })

  test('feedback is given, with a reason, and taken back', async () => {
    const api = bed.server.as()
    await api.append('rate', 'Q')
    await api.append('rate', { role: 'ASSISTANT', content: 'A' })
    const thread = open('rate', everything)
    await shows(thread, 'Q', 'A')
    const id = shown(thread)[1]?.id ?? ''
    await thread.rate(id, 'DOWN', { reason: 'wrong', comment: 'It is B.' })
    const { metadata } = shown(thread)[1] ?? {}
    expect(metadata?.custom.feedback).toEqual({ rating: 'DOWN', reason: 'wrong', comment: 'It is B.' })
    expect(metadata?.submittedFeedback).toEqual({ type: 'negative', comment: 'It is B.' })
    store(thread).adapters?.feedback.submit({ message: { id }, type: 'positive' })
    await until(() => custom(thread, 1)?.feedback?.rating === 'UP')
    await thread.rate(id, null)
    await until(() => custom(thread, 1)?.feedback === null)
    await expect(thread.rate(shown(thread)[0]?.id ?? '', 'UP')).rejects.toThrow(/message of an assistant/)
    await until(() => custom(thread, 0)?.feedback === null)
  })

  test('who is here, who types, who has read what, and who has the conversation', async () => {
    const other = await share('people')
    const people = (thread: Thread) => thread.snapshot().people
    const mine = open('people', everything)
    const his = open(other, everything, bed.server.url, bob)
    for (const thread of [mine, his]) await until(() => people(thread)?.present?.count === 2)
    expect(people(his)).toMatchObject({ viewer: 'bob', viewerRole: 'MEMBER', takenOverBy: null })
    expect(people(mine)).toMatchObject({ viewer: 'ada', viewerRole: 'OWNER' })
    expect(custom(his, 0)).toMatchObject({ isOwn: false, author: { userId: 'ada', kind: 'USER' } })
    expect(custom(mine, 0)?.isOwn).toBe(true)

    mine.type(true)
    await until(() => people(his)?.typing.join() === 'ada')
    expect(people(mine)?.typing).toEqual([])
    mine.type(false)
    await until(() => people(his)?.typing.length === 0)

    his.read(shown(his)[0]?.id ?? '')
    await until(() => people(mine)?.readers[shown(mine)[0]?.id ?? '']?.join() === 'bob')

    await his.takeOver()
    for (const thread of [mine, his]) await until(() => people(thread)?.takenOverBy === 'bob')
    await expect(mine.takeOver()).rejects.toThrow(/taken/)
    await mine.handBack()
    for (const thread of [mine, his]) await until(() => people(thread)?.takenOverBy === null)
  })

  test('of more than 50 people only the count is shown', async () => {
    const other = await share('crowd')
    const input = (n: number) => `{ conversationId: "crowd", userId: "crowd-${n}", role: OBSERVER }`
    const add = (from: number, to: number) => {
      const all = Array.from({ length: to - from }, (_, n) => from + n)
      const fields = all.map((n) => `p${n}: addParticipant(input: ${input(n)}) { conversation { id } }`)
      return bed.server.as().get(`mutation { ${fields.join(' ')} }`)
    }
    // With ada and bob they are 50.
    for (const from of [0, 24]) await add(from, from + 24)
    const mine = open('crowd', everything)
    const his = open(other, everything, bed.server.url, bob)
    for (const thread of [mine, his]) await shows(thread, 'first')
    his.read(shown(his)[0]?.id ?? '')
    const people = () => mine.snapshot().people
    await until(() => Object.values(people()?.readers ?? {}).join() === 'bob')
    expect(people()?.readCount).toBe(null)

    await add(48, 49)
    await bed.server.as().append('crowd', 'second')
    await until(() => shown(his).length === 2)
    his.read(shown(his)[1]?.id ?? '')
    await until(() => people()?.readCount === 1)
    expect(people()?.readers).toEqual({})
  })

  test('that somebody types is told once for many keys, again every three seconds, and not after a message', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const told: boolean[] = []
      const typing = new Typing(async (isTyping) => told.push(isTyping))
      const press = (ms: number) => {
        typing.types()
        return vi.advanceTimersByTimeAsync(ms)
      }
      for (const ms of [1_000, 1_000, 999]) await press(ms)
      expect(told).toEqual([true])
      await press(1)
      expect(told).toEqual([true])
      await press(4_999)
      expect(told).toEqual([true, true])
      await vi.advanceTimersByTimeAsync(1)
      expect(told).toEqual([true, true, false])
      await press(0)
      typing.stops()
      await vi.advanceTimersByTimeAsync(60_000)
      typing.rests()
      expect(told).toEqual([true, true, false, true])
    } finally {
      vi.useRealTimers()
    }
  })

  test('what an observer may not do is said, and not tried again', async () => {
    const other = await share('observed', 'OBSERVER')
    const his = open(other, everything, bed.server.url, bob)
    await shows(his, 'first')
    await store(his).onNew(written('hello'))
    await until(() => states(his).join() === 'sent,failed')
    await expect(his.takeOver()).rejects.toThrow()
  })
})

function none(): never {
  throw new Error('unreachable: a thread subscribes')
}
