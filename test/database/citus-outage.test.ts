import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Answer, Api } from '../support/api.ts'
import { type FarWorker, openFarWorker, withoutFarWorker } from '../support/database/far-worker.ts'
import { ask } from '../support/database/nodes.ts'
import { Wire } from '../support/network/wire.ts'
import { serve, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { replayed message { seq } } }`
const rename = `mutation ($id: ID!, $title: String) {
  updateConversation(input: { id: $id, title: $title }) { conversation { title } }
}`
const fork =
  'mutation ($id: ID!, $newId: ID) { forkConversation(input: { id: $id, newId: $newId }) { conversation { id } } }'
const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) { replayed attempt message { id seq } } }`
const text = 'mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk } }'
const read =
  'query ($id: ID!) { conversation(id: $id) { title messages(first: 100) { nodes { seq clientId content } } } }'
const list = '{ conversations(first: 100) { nodes { id } } }'
const follow = `subscription ($id: ID!, $after: String) {
  messageAppended(conversationId: $id, after: $after) { node { seq } }
}`

const reason = withoutFarWorker()
if (reason !== null && inject('cluster').nodes.length > 1)
  console.warn(`Tests of a lost worker are skipped: ${reason}.`)

/** A sweep has some forty rounds, and each of them opens connections anew. */
const sweep = { timeout: 600_000 }

describe.skipIf(reason !== null)(reason === null ? 'a worker of Citus' : `skipped: ${reason}`, () => {
  let worker: FarWorker
  let server: TestServer
  let ada: Api

  beforeAll(async () => {
    worker = await openFarWorker()
    // A lost commit holds rows until it is recovered. Few connections: each of them has its own to the worker.
    server = await serve(worker.database.url, { STATEMENT_TIMEOUT_MS: '3000', POOL_SIZE: '2', POLL_MS: '500' })
    ada = server.as()
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await worker?.[Symbol.asyncDispose]()
  })

  /** A new conversation that lies on the worker behind the proxy, or on the other one. */
  async function create(name: string, isFar = true): Promise<string> {
    for (let n = 0; ; n++) {
      const id = `${name} ${n}`
      await ada.append(id, 'first')
      if ((await worker.holds(id)) === isFar) return id
    }
  }

  /** Transactions between their two phases are committed or rolled back now, and not within a minute. */
  const recover = () =>
    until(() =>
      ask(worker.database.url, 'select recover_prepared_transactions()').then(
        () => true,
        () => false,
      ),
    )

  /** Asks until the worker is not the reason for an error. @returns that answer, and whether there were such errors */
  async function insist(query: string, variables: object): Promise<{ answer: Answer; failures: number }> {
    for (let failures = 0; ; failures++) {
      const answer = await ada.ask(query, variables)
      if (answer.errors === undefined || answer.errors[0]?.extensions.code !== 'UNAVAILABLE')
        return { answer, failures }
      await recover()
    }
  }

  /**
   * Does the same again and again; each time, the connections to the worker end somewhat later, until none of them is
   * missed any more.
   *
   * @param act answers how often it failed
   */
  async function cutEverywhere(step: number, act: (n: number) => Promise<number>): Promise<void> {
    let quiet = 0
    expect(await act(0)).toBe(0)
    for (let n = 1; quiet < 3; n++) {
      worker.proxy.cutAfter((n - 1) * step)
      quiet = (await act(n)) === 0 ? quiet + 1 : 0
      worker.proxy.cutAfter(Number.POSITIVE_INFINITY)
    }
  }

  test(
    'an append whose connection is lost anywhere is UNAVAILABLE, and its repetition stores the message once',
    sweep,
    async () => {
      const id = await create('appended')
      const known: string[] = ['1 null']
      let foundStored = 0
      await cutEverywhere(32, async (n) => {
        const message = { role: 'USER', content: 'x', clientId: `${n}` }
        const { answer, failures } = await insist(append, { input: { conversationId: id, message } })
        expect(answer.errors).toBeUndefined()
        const { replayed, message: stored } = answer.data.appendMessage
        if (replayed) foundStored += 1
        known.push(`${stored.seq} ${n}`)
        return failures
      })
      // The COMMIT had gone out, and its answer was lost.
      expect(foundStored).toBeGreaterThan(0)
      expect(known.map((one) => Number(one.split(' ')[0]))).toEqual(known.map((_, index) => index + 1))
      const last = (await ada.get(read, { id })).conversation.messages.nodes.map(
        ({ seq, clientId }: { seq: number; clientId: string | null }) => `${seq} ${clientId}`,
      )
      expect(last).toEqual(known.slice(0, 100))
    },
  )

  test('a change and streamed text the same', sweep, async () => {
    const id = await create('changed')
    const started = (await ada.get(start, { input: { conversationId: id, timeoutSeconds: 3_600 } })).startMessage
    let words = ''
    await cutEverywhere(64, async (n) => {
      const title = `${n}`
      const renamed = await insist(rename, { id, title })
      expect(renamed.answer.data?.updateConversation.conversation.title).toBe(title)
      const input = { messageId: started.message.id, attempt: started.attempt, chunk: n, text: `${n} ` }
      const added = await insist(text, { input })
      expect(added.answer.data?.appendMessageText.nextChunk).toBe(n + 1)
      words += `${n} `
      const { conversation } = (await insist(read, { id })).answer.data
      expect(conversation).toMatchObject({ title, messages: { nodes: [{}, { content: words }] } })
      return renamed.failures + added.failures
    })
  })

  test(
    'a fork to the other worker is there whole or not at all, wherever the worker is lost in its two phases',
    sweep,
    async () => {
      const id = await create('forked')
      for (const content of ['second', 'third']) await ada.append(id, content)
      await cutEverywhere(64, async (n) => {
        const newId = `fork ${n}`
        const { answer, failures } = await insist(fork, { id, newId })
        // The one before was done though it was not answered.
        if (failures > 0 && answer.errors) expect(answer.errors[0]?.extensions.code).toBe('CONFLICT')
        else expect(answer.errors).toBeUndefined()
        await recover()
        const copy = (await insist(read, { id: newId })).answer.data.conversation
        expect(copy.messages.nodes).toMatchObject([{ content: 'first' }, { content: 'second' }, { content: 'third' }])
        return failures
      })
      expect((await ada.append(id, 'goes on')).message.seq).toBe(4)
    },
  )

  test('that is away: its conversations are UNAVAILABLE in every way of asking, others go on, and so do feeds afterwards', async () => {
    const [far, near] = [await create('away'), await create('there', false)]
    await using wire = await Wire.open(server.url)
    await using feed = ada.subscribe(follow, { id: far, after: '' })
    expect((await feed.next())?.data.messageAppended.node.seq).toBe(1)
    worker.proxy.aim({ url: 'http://127.0.0.1:1' })
    worker.proxy.cut()
    const message = { role: 'USER', content: 'y', clientId: 'y' }
    const unavailable = [expect.objectContaining({ extensions: { code: 'UNAVAILABLE' } })]
    const input = { conversationId: far, message }
    for (const [query, variables] of [
      [append, { input }],
      [rename, { id: far, title: 't' }],
      [fork, { id: far, newId: 'no fork' }],
      [start, { input: { conversationId: far } }],
      [read, { id: far }],
      [list, {}],
    ] as const) {
      expect((await ada.ask(query, variables)).errors, query).toEqual(unavailable)
      expect((await wire.ask(query, variables)).errors, query).toEqual(unavailable)
    }
    expect((await wire.ask(follow, { id: far, after: '' })).errors).toEqual(unavailable)
    expect((await ada.append(near, 'goes on')).message.seq).toBe(2)
    expect((await ada.get(read, { id: near })).conversation.messages.nodes).toHaveLength(2)

    worker.proxy.aim({ url: worker.direct })
    expect((await insist(append, { input })).answer.data.appendMessage).toEqual({
      replayed: false,
      message: { seq: 2 },
    })
    expect((await feed.next())?.data.messageAppended.node.seq).toBe(2)
  })

  test('that answers nothing any more is UNAVAILABLE too, and is used again when it answers', async () => {
    const id = await create('stalled')
    worker.proxy.stall()
    const message = { role: 'USER', content: 'y', clientId: 'y' }
    expect((await ada.fail(append, { input: { conversationId: id, message } })).extensions).toEqual({
      code: 'UNAVAILABLE',
    })
    expect((await ada.fail(read, { id })).extensions).toEqual({ code: 'UNAVAILABLE' })
    worker.proxy.resume()
    const { answer } = await insist(append, { input: { conversationId: id, message } })
    expect(answer.data.appendMessage.message.seq).toBe(2)
  })

  test.each([
    ['rolled back', 'first'],
    ['committed', 'in doubt'],
  ])('rows of a transaction in doubt are UNAVAILABLE for writes until it is %s', async (end, content) => {
    const id = await create(`doubtful ${end}`)
    const [place] = await ask(
      worker.database.url,
      `select s.shardid as message, get_shard_id_for_distribution_column('conversation', c.key) as conversation, c.key, p.groupid
       from conversation c, pg_dist_shard s join pg_dist_placement p using (shardid) where c.id = '${id}'
         and s.shardid = get_shard_id_for_distribution_column('message', c.key)`,
    )
    const { message, conversation, key, groupid } = place as Record<string, string>
    const gid = `citus_0_999999_${groupid}_${end === 'committed' ? 1 : 2}`
    // Citus recovers by itself, once a minute.
    const holder = await worker.database.connect()
    await holder.query('begin; lock table pg_dist_transaction in share row exclusive mode')
    if (end === 'committed') await holder.query('insert into pg_dist_transaction values ($1, $2)', [groupid, gid])
    await prepare(worker.direct, gid, [
      `update conversation_${conversation} set title = 'in doubt' where key = '${key}'`,
      `update message_${message} set content = 'in doubt' where conversation_key = '${key}'`,
    ])
    const input = { conversationId: id, message: { role: 'USER', content: 'y', clientId: 'y' } }
    const writes = [
      [append, { input }],
      [rename, { id, title: 't' }],
      [fork, { id, newId: `fork of ${id}` }],
    ] as const
    for (const [query, variables] of writes) {
      expect((await ada.fail(query, variables)).extensions).toEqual({ code: 'UNAVAILABLE' })
    }
    const before = { title: null, messages: { nodes: [{ seq: 1, clientId: null, content: 'first' }] } }
    expect((await ada.get(read, { id })).conversation).toEqual(before)
    await holder.query('commit')
    await recover()
    expect(await ask(worker.direct, `select from pg_prepared_xacts where gid = '${gid}'`)).toEqual([])
    const after = { title: end === 'committed' ? 'in doubt' : null, messages: { nodes: [{ seq: 1, content }] } }
    expect((await ada.get(read, { id })).conversation).toMatchObject(after)
    for (const [query, variables] of writes) await ada.get(query, variables)
  })
})

/** What a machine has whose coordinator was lost between the two phases of a commit. */
async function prepare(url: string, gid: string, statements: readonly string[]): Promise<void> {
  await ask(url, ['begin', ...statements, `prepare transaction '${gid}'`].join('; '))
}
