import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from 'graphql-ws'
import { Client } from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Api } from '../support/api.ts'
import { blocked } from '../support/database/blocked.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { withDatabase } from '../support/database/database-url.ts'
import { engine } from '../support/database/engine.ts'
import { hold } from '../support/database/hold.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { Wire } from '../support/network/wire.ts'
import { buildPrograms, Program } from '../support/program/program.ts'
import { until } from '../support/until.ts'

let directory: string

beforeAll(buildPrograms)

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'lifecycle-')))
})

afterEach(async () => {
  // What a server that was killed has left; its next start would have adopted it.
  for (const pid of await processes()) process.kill(Number(pid), 'SIGQUIT')
  await expect.poll(processes).toEqual([])
  await rm(directory, { recursive: true, force: true })
})

/** The longest that the settings of a server may be. */
const forever = {
  POOL_TIMEOUT_MS: '60000',
  SHUTDOWN_TIMEOUT_MS: '60000',
  LOCK_TIMEOUT_MS: '60000',
  STATEMENT_TIMEOUT_MS: '600000',
  REQUEST_TIMEOUT_MS: '600000',
}
/** The limit of tests whose server must not wait until one of those is over. */
const lessThanForever = 59_000

const restart = { code: 1012, reason: 'Service restart' }
const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq content } } }`

describe('a server that starts', () => {
  test('says where everything is', async () => {
    await using server = start()
    const url = await server.url()
    expect(server.stdout.split('\n').filter((line) => !line.startsWith('{'))).toEqual([
      'Colloquy is ready.',
      `  Page       ${url}/`,
      `  GraphQL    ${url}/graphql`,
      `  WebSocket  ${url.replace('http', 'ws')}/graphql`,
      `  GraphiQL   ${url}/graphiql`,
      `  Data       in ${directory}`,
      expect.stringMatching(/^ {2}Access {5}development: /),
      '',
    ])
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })

  test('migrates an empty database once, however many start at the same time', async () => {
    await using database = await createDatabase()
    const name = `${new URL(database.url).pathname.slice(1)}_empty`
    const admin = await database.connect()
    await admin.query(`create database ${name}`)
    try {
      const settings = { DATABASE_URL: withDatabase(database.url, name) }
      await using servers = new AsyncDisposableStack()
      const started = [0, 1, 2].map(() => servers.use(start(settings)))
      for (const server of started) expect((await fetch(`${await server.url()}/readyz`)).status).toBe(200)
      const client = new Client({ connectionString: settings.DATABASE_URL })
      await client.connect()
      const { rows } = await client.query('select name, count(*)::int from migration group by name')
      await client.end()
      const migrations = await readdir('migrations')
      expect(rows.map(({ count }) => count)).toEqual(migrations.map(() => 1))
    } finally {
      await admin.query(`drop database ${name} with (force)`)
    }
  })

  test('logs one line for each request, on whatever way it came', async () => {
    await using database = await createDatabase()
    await using server = start({ DATABASE_URL: database.url })
    const url = await server.url()
    const api = new Api(url, { 'x-user-id': 'ada' })
    await api.get('query Who { viewer { userId } }')
    await api.ask('query Wrong { nothing }')
    await api.append('c', 'said')
    {
      await using feed = api.subscribe(
        'subscription Feed { messageAppended(conversationId: "c", after: "") { cursor } }',
      )
      await feed.next()
    }
    await server.prints(/"operation":"Feed"/)
    await server.stop('SIGTERM')
    const requests = server.logged().filter((line) => line.msg === 'request')
    expect(requests.map(({ over, operation, viewer, status }) => [over, operation, viewer, status])).toEqual([
      ['http', 'Who', 'ada', 200],
      ['http', null, 'ada', 400],
      ['http', null, 'ada', 200],
      ['websocket', 'Feed', 'ada', 'ok'],
    ])
    expect(server.stdout).not.toContain('said')
  })
})

describe('a server that counts tokens', () => {
  test('does so in a thread of its built program, and ends with it', async () => {
    await using database = await createDatabase()
    await using server = start({ DATABASE_URL: database.url })
    const api = new Api(await server.url(), { 'x-user-id': 'ada' })
    await api.append('c', 'hello world')
    const { conversation } = await api.get('{ conversation(id: "c") { context(maxTokens: 100) { tokenCount } } }')
    expect(conversation.context.tokenCount).toBe(6)
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(server.stderr).toBe('')
  })
})

describe('a server that cannot start says why in one line, and exits with 1:', () => {
  test('a port that is taken', async () => {
    await using database = await createDatabase()
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const reason = await refusal({ DATABASE_URL: database.url, PORT: String(port) })
    expect(reason).toBe(`Another program listens on 127.0.0.1:${port}; set PORT to a free one.`)
    other.close()
  })

  test('settings that are wrong, all of them at once', async () => {
    const reason = await refusal({ PORT: 'http', LOG_LEVEL: 'loud', MAX_BODY_BYTES: '1' })
    for (const name of ['PORT', 'LOG_LEVEL', 'MAX_BODY_BYTES']) expect(reason).toContain(name)
  })

  test('a data directory that another server has', async () => {
    await using server = start()
    await server.url()
    expect(await refusal({})).toBe(`${directory} is in use by another server (process ${server.process.pid})`)
    expect((await fetch(`${await server.url()}/readyz`)).status).toBe(200)
  })

  test('a database that is not there, without its password', async () => {
    const reason = await refusal({ DATABASE_URL: 'postgresql://ada:secret@127.0.0.1:1/colloquy' })
    expect(reason).toMatch(
      /^The database at postgresql:\/\/ada:…@127.0.0.1:1\/colloquy cannot be reached: .*ECONNREFUSED/,
    )
  })

  test.each(['colloquy', 'mysql://127.0.0.1/colloquy', 'postgresql://127.0.0.1:port/colloquy', 'postgresql://'])(
    'a DATABASE_URL that is none: %s',
    async (url) => {
      expect(await refusal({ DATABASE_URL: url })).toMatch(/DATABASE_URL/)
    },
  )

  test('a database of which it knows only the server', async () => {
    await using database = await createDatabase()
    const reason = await refusal({ DATABASE_URL: withDatabase(database.url, 'nowhere') })
    expect(reason).toMatch(/cannot be reached: .*database "nowhere" does not exist/)
  })

  // Citus keeps tables of its own in the schema that is made anew here.
  test.skipIf(engine.spreads)('a database in which it may not make tables', async () => {
    await using database = await createDatabase()
    const admin = await database.connect()
    const role = `${new URL(database.url).pathname.slice(1)}_role`
    await admin.query(`drop schema public cascade; create schema public; create role ${role} login password 'x'`)
    try {
      const url = new URL(database.url)
      url.username = role
      url.password = 'x'
      expect(await refusal({ DATABASE_URL: url.href })).toMatch(/cannot be migrated: permission denied for /)
    } finally {
      await admin.query(`drop role ${role}`)
    }
  })
})

describe('a server that is told to stop while it starts ends at once, and leaves nothing running:', () => {
  test.each([
    ['initdb makes its cluster', '', /^postgres\.init-/],
    ['PostgreSQL starts', 'postgres', /^postmaster\.pid$/],
  ])('while %s', async (_when, folder, file) => {
    await using server = start()
    const files = () => readdir(join(directory, folder)).catch(() => [])
    await expect.poll(files, { interval: 2 }).toContainEqual(expect.stringMatching(file))
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(server.stderr).toBe('')
    expect(await leftBehind()).toEqual([])
    expect((await readdir(directory)).filter((name) => file.test(name))).toEqual([])
  })

  test('while another server migrates', async () => {
    await using database = await createDatabase()
    const other = await database.connect()
    await other.query('select pg_advisory_lock(4815162342)')
    await using server = start({ DATABASE_URL: database.url })
    await server.prints(/waiting for process \d+ of PostgreSQL \(.*\), which may be migrating the database/)
    await blocked(other)
    expect(await server.stop('SIGINT')).toEqual({ code: 0, signal: null })
    expect(server.stderr).toBe('')
  })

  test('while the database does not answer', { timeout: lessThanForever }, async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    await using server = start({ DATABASE_URL: `postgresql://ada@127.0.0.1:${port}/c`, ...forever })
    await once(silent, 'connection')
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null })
    silent.close()
  })
})

describe('a server that is told to stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'answers what is in flight first, on %s',
    { timeout: lessThanForever },
    async (signal) => {
      await using held = await holdConversation()
      const { server, api, url } = held
      const answer = api.get(append, { input: { conversationId: 'held', message: { role: 'USER', content: 'late' } } })
      await using agent = new KeepAlive(url)
      await agent.get('/healthz')
      await held.isWaitedFor(1)

      server.kill(signal)
      await refusesConnections(url)
      await held.release()

      expect((await answer).appendMessage.message).toEqual({ seq: 2, content: 'late' })
      // It does not wait until the client lets go of its connection: that would take longer than the test may.
      expect(await server.exited).toEqual({ code: 0, signal: null })
      expect(server.stderr).toBe('')
      const { rows } = await held.lock.query('select seq, content from message order by seq')
      expect(rows).toEqual([
        { seq: 1, content: 'first' },
        { seq: 2, content: 'late' },
      ])
    },
  )

  test('answers the reads that stand behind one another first', async () => {
    await using held = await holdConversation()
    const { server, api, url } = held
    await held.lock.query('lock table message in access exclusive mode')
    const pages = Array.from({ length: 15 }, (_, n) => `p${n}: messages(last: ${n + 1}) { nodes { content } }`)
    const answer = api.get(`{ conversation(id: "held") { ${pages.join(' ')} } }`)
    await blocked(held.lock)

    server.kill('SIGTERM')
    await refusesConnections(url)
    await held.release()

    const { conversation } = await answer
    expect(Object.values(conversation)).toEqual(pages.map(() => ({ nodes: [{ content: 'first' }] })))
    expect(await server.exited).toEqual({ code: 0, signal: null })
    expect(server.stderr).toBe('')
  })

  test('is still answering when its signal comes twice, as npm and a terminal send it', async () => {
    await using held = await holdConversation()
    const { server, api, url } = held
    const answer = api.get(append, { input: { conversationId: 'held', message: { role: 'USER', content: 'late' } } })
    await held.isWaitedFor(1)
    server.kill('SIGINT')
    await refusesConnections(url)
    server.kill('SIGINT')
    server.kill('SIGTERM')
    await held.release()
    expect((await answer).appendMessage.message.seq).toBe(2)
    expect(await server.exited).toEqual({ code: 0, signal: null })
  })

  test('answers what is in flight on a socket, and closes every socket with 1012', async () => {
    await using held = await holdConversation()
    const { server, url } = held
    await using idle = await Wire.open(url, {})
    await using subscribed = await Wire.open(url, {})
    subscribed.subscribe('subscription { messageAppended(conversationId: "held", after: "") { node { seq } } }')
    expect(await subscribed.next()).toMatchObject({ type: 'next' })
    await using busy = await Wire.open(url, {})
    const late = busy.subscribe(append, {
      input: { conversationId: 'held', message: { role: 'USER', content: 'late' } },
    })
    await held.isWaitedFor(1)

    server.kill('SIGTERM')
    expect(await idle.closed).toEqual(restart)
    expect(await subscribed.closed).toEqual(restart)
    await refusesConnections(url)
    await held.release()

    expect((await busy.answer(late)).data.appendMessage.message.seq).toBe(2)
    expect(await busy.closed).toEqual(restart)
    expect(await server.exited).toEqual({ code: 0, signal: null })
  })

  test('lets the stock client connect again to the next one by itself', async () => {
    await using database = await createDatabase()
    await using first = start({ DATABASE_URL: database.url })
    const url = await first.url()
    const api = new Api(url, { 'x-user-id': 'ada' })
    await api.append('c', '1')
    const codes: number[] = []
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: api.identity,
      retryAttempts: 1_000,
      retryWait: async () => {
        await ready
      },
      on: { closed: (event) => codes.push((event as { code: number }).code) },
    })
    const seqs = client.iterate<{ messageAppended: { node: { seq: number } } }>({
      query: 'subscription { messageAppended(conversationId: "c", after: "") { node { seq } } }',
    })
    expect((await seqs.next()).value?.data.messageAppended.node.seq).toBe(1)
    let isReady = () => {}
    const ready = new Promise<void>((resolve) => {
      isReady = resolve
    })
    const next = seqs.next()
    await first.stop('SIGTERM')
    await using second = start({ DATABASE_URL: database.url, PORT: new URL(url).port })
    await second.url()
    isReady()
    expect((await next).value?.data.messageAppended.node.seq).toBe(1)
    expect(codes).toContain(1012)
    await client.dispose()
  })

  test('says so and still takes connections for SHUTDOWN_DELAY_MS', { timeout: 300_000 }, async () => {
    await using held = await holdConversation({ SHUTDOWN_DELAY_MS: '5000' })
    const { server, api, url } = held
    server.kill('SIGTERM')
    await until(async () => (await fetch(`${url}/readyz`)).status === 503)
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'stopping' })
    expect(await api.get('{ conversation(id: "held") { lastSeq } }')).toEqual({ conversation: { lastSeq: 1 } })
    await using wire = await Wire.open(url, {})
    await held.release()
    expect(await wire.closed).toEqual(restart)
    expect(await server.exited).toEqual({ code: 0, signal: null })
  })

  test('is gone after SHUTDOWN_TIMEOUT_MS though a request never ends', async () => {
    await using held = await holdConversation({ SHUTDOWN_TIMEOUT_MS: '1000' })
    const { server, api } = held
    // An append with a condition waits by itself.
    const message = { role: 'USER', content: 'never' }
    const variables = { input: { conversationId: 'held', ifLastSeq: 1, message } }
    const answer = api.get(append, variables).catch((error: unknown) => error)
    await using busy = await Wire.open(held.url, {})
    busy.subscribe(append, variables)
    await held.isWaitedFor(2)
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(await answer).toBeInstanceOf(Error)
  })

  test('is gone after SHUTDOWN_TIMEOUT_MS while a client has sent half a request', async () => {
    await using database = await createDatabase()
    await using server = start({ DATABASE_URL: database.url, ...forever, SHUTDOWN_TIMEOUT_MS: '1000' })
    const url = await server.url()
    const half = httpRequest(`${url}/graphql`, { method: 'POST', headers: { 'content-length': '100' } })
    half.on('error', () => {})
    half.write('{')
    await once(half, 'socket').then(([socket]) => socket.connecting && once(socket, 'connect'))
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  test('takes its PostgreSQL with it, and finds its data again at the next start', async () => {
    {
      await using server = start()
      await new Api(await server.url(), {}).append('kept', 'Zürich')
      expect(await leftBehind()).not.toEqual([])
      expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null })
      expect(await leftBehind()).toEqual([])
    }
    await using server = start()
    const api = new Api(await server.url(), {})
    expect(await contents(api, 'kept')).toEqual([[1, 'Zürich']])
    await server.stop('SIGINT')
    expect(await leftBehind()).toEqual([])
  })

  test('stops also when it is npm that was told', async () => {
    const npm = spawn('npm', ['start'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, DATA_DIR: directory, PORT: '0', npm_config_update_notifier: 'false' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(npm, 'close')
    const output = npm.stdout.setEncoding('utf8')
    for (let text = ''; !text.includes('Access'); ) text += (await once(output, 'data'))[0]
    output.resume()
    npm.kill('SIGTERM')
    await exited
    expect(await leftBehind()).toEqual([])
  })
})

describe('a server that is killed', () => {
  test('has all its data again at the next start, which adopts its PostgreSQL', async () => {
    await using killed = start()
    await new Api(await killed.url(), {}).append('kept', 'before')
    const postgres = await leftBehind()
    await killed.stop('SIGKILL')
    await using server = start()
    const api = new Api(await server.url(), {})
    expect(await leftBehind()).toEqual(postgres)
    await api.append('kept', 'after')
    expect(await contents(api, 'kept')).toEqual([
      [1, 'before'],
      [2, 'after'],
    ])
    await server.stop('SIGTERM')
    expect(await leftBehind()).toEqual([])
  })

  test.each([1, 1_000])('has every acknowledged message once, and no gap, after %i were', async (enough) => {
    await using database = await createDatabase()
    const settings = { DATABASE_URL: database.url, LOG_LEVEL: 'error' }
    const acknowledged = new Map<string, number>()
    {
      await using killed = start(settings)
      const api = new Api(await killed.url(), {})
      const { promise: isEnough, resolve } = Promise.withResolvers<void>()
      const writers = Array.from({ length: 64 }, async (_, writer) => {
        for (let turn = 0; ; turn++) {
          const clientId = `${writer}:${turn}`
          const message = { role: 'USER', content: clientId, clientId }
          try {
            acknowledged.set(clientId, (await api.append('load', message)).message.seq)
          } catch {
            return
          }
          if (acknowledged.size >= enough) resolve()
        }
      })
      await isEnough
      await killed.stop('SIGKILL')
      await Promise.all(writers)
    }
    await using server = start(settings)
    const api = new Api(await server.url(), {})
    const stored = await contents(api, 'load')
    expect(stored.map(([seq]) => seq)).toEqual(stored.map((_, index) => index + 1))
    expect(new Set(stored.map(([, content]) => content)).size).toBe(stored.length)
    const seqs = new Map(stored.map(([seq, content]) => [content, seq]))
    for (const [clientId, seq] of acknowledged) expect([clientId, seqs.get(clientId)]).toEqual([clientId, seq])
    // At most one of each writer was on its way.
    expect(stored.length - acknowledged.size).toBeLessThanOrEqual(64)
  })
})

class RunningServer extends Program {
  /** Where it listens, once it says so. */
  async url(): Promise<string> {
    await this.prints(/Access/)
    return (await this.prints(/GraphQL +(http:\S+)\/graphql/))[1] as string
  }

  stop(signal: NodeJS.Signals) {
    this.kill(signal)
    return this.exited
  }

  logged(): Record<string, unknown>[] {
    return this.stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
  }
}

/** A server on a free port, with its own PostgreSQL in this test's directory unless it has a DATABASE_URL. */
function start(settings: Record<string, string> = {}): RunningServer {
  return new RunningServer('src/main.js', [], { DATA_DIR: directory, PORT: '0', ...settings })
}

/** What a server that must not start says, without its end of line. */
async function refusal(settings: Record<string, string>): Promise<string> {
  await using server = start(settings)
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.stdout).toBe('')
  expect(server.stderr.trim().split('\n')).toHaveLength(1)
  return server.stderr.trimEnd()
}

/** A server, and a conversation with one message whose row another session holds: appends to it wait. */
async function holdConversation(settings: Record<string, string> = {}) {
  await using stack = new AsyncDisposableStack()
  const database: TestDatabase = stack.use(await createDatabase())
  const server = stack.use(start({ DATABASE_URL: database.url, ...forever, ...settings }))
  const url = await server.url()
  const api = new Api(url, {})
  await api.append('held', 'first')
  const lock = await hold(database, 'held')
  const owned = stack.move()
  return {
    server,
    url,
    api,
    lock,
    release: () => lock.query('commit'),
    /** Resolves when so many statements wait for the row. */
    isWaitedFor: (count: number) => untilWaiting(database, count),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function refusesConnections(url: string): Promise<void> {
  const probe = () =>
    fetch(`${url}/readyz`, { headers: { connection: 'close' } }).then(
      (response) => String(response.status),
      (error: Error) => (error.cause as NodeJS.ErrnoException).code,
    )
  await expect.poll(probe).toBe('ECONNREFUSED')
}

/** A client that keeps its connection open after each answer. */
class KeepAlive implements AsyncDisposable {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async get(path: string): Promise<void> {
    const request = httpRequest(`${this.#url}${path}`, { agent: this.#agent }).end()
    const [response] = await once(request, 'response')
    await once(response.resume(), 'end')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
  }
}

/** What runs or lies around for the PostgreSQL in this test's directory. */
async function leftBehind(): Promise<string[]> {
  const files = await readdir(join(directory, 'postgres')).catch(() => [])
  return [...(await processes()), ...files.filter((name) => /s\.PGSQL|postmaster\.pid/.test(name))]
}

/** The pids of the processes that were started on this test's directory. What PostgreSQL forks first has the command of its parent. */
async function processes(): Promise<string[]> {
  const parents = new Map<string, string | undefined>()
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
    if ((await read('cmdline')).includes(`${directory}/`))
      parents.set(pid, /^PPid:\s*(\d+)/m.exec(await read('status'))?.[1])
  }
  return [...parents].filter(([, parent]) => parent === undefined || !parents.has(parent)).map(([pid]) => pid)
}

/** Seq and content of every message, read page by page. */
async function contents(api: Api, id: string): Promise<[seq: number, content: string][]> {
  const query = `query ($id: ID!, $after: String) { conversation(id: $id) { messages(first: 100, after: $after) {
    nodes { seq content } pageInfo { hasNextPage endCursor }
  } } }`
  const all: [number, string][] = []
  for (let after: string | null = null; ; ) {
    const { conversation } = await api.get(query, { id, after })
    const { nodes, pageInfo } = conversation.messages
    for (const { seq, content } of nodes) all.push([seq, content])
    if (!pageInfo.hasNextPage) return all
    after = pageInfo.endCursor
  }
}
