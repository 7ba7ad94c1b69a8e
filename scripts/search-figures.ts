import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import { pino } from 'pino'
import { readConfig } from '../src/config.ts'
import { startServer } from '../src/server/server.ts'

/**
 * How well searches find, on questions whose evidence is known: `npm run search-figures -- PATH`. The set is LoCoMo
 * (Maharana and others, 2024, https://github.com/snap-research/locomo): `data/locomo10.json`, or a folder with a file
 * for each conversation. Its licence, CC BY-NC 4.0, keeps it out of this repository; without a path it is fetched.
 *
 * Everything goes through the API of a server of its own: appends, then a search for each question as it is.
 */
const source = 'https://raw.githubusercontent.com/snap-research/locomo/main/data/locomo10.json'
const user = 'reader'

interface Turn {
  readonly dia_id: string
  readonly speaker: string
  readonly text: string
  readonly blip_caption?: string
}

interface Question {
  readonly question: string
  readonly evidence?: readonly string[]
  readonly category: number
}

/** A question, and the seqs of the messages of which one answers it. */
interface Asked {
  readonly conversationId: string
  readonly question: string
  readonly evidence: readonly number[]
}

// biome-ignore lint/suspicious/noExplicitAny: the files are of another program.
type Told = any

const told = await readSet(process.argv[2])
const directory = await mkdtemp(join(tmpdir(), 'colloquy-figures-'))
try {
  const settings = { PORT: '0', DATA_DIR: directory, RATE_LIMIT: 'off', MAX_COST: '1000000000' }
  await using server = await startServer(readConfig(settings), pino({ level: 'warn' }), (error) => {
    throw error
  })
  const ask = askerOf(`${server.url}/graphql`)
  const asked: Asked[] = []
  let stored = 0
  for (const [index, one] of told.entries()) {
    const conversationId = `conversation-${index}`
    const turns = turnsOf(one.conversation ?? one)
    await append(ask, conversationId, turns)
    stored += turns.length
    asked.push(...questionsOf(one.qa, conversationId, turns))
  }
  await untilFound(ask, told.length)
  console.log(`${told.length} conversations, ${stored} messages, ${asked.length} questions`)
  for (const [name, isWithin] of [
    ['within the conversation', true],
    ["over all of the viewer's", false],
  ] as const) {
    let [share, any, milliseconds] = [0, 0, 0]
    for (const { conversationId, question, evidence } of asked) {
      const began = performance.now()
      const found = await search(ask, question, isWithin ? conversationId : null)
      milliseconds += performance.now() - began
      const hits = evidence.filter((seq) => found.has(`${conversationId} ${seq}`)).length
      share += hits / evidence.length
      any += hits > 0 ? 1 : 0
    }
    const of = (sum: number) => (sum / asked.length).toFixed(3)
    console.log(
      `${name}: recall@10 ${of(share)}; some evidence among ten for ${of(any)}; ${of(milliseconds)} ms for a question`,
    )
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function readSet(path: string | undefined): Promise<Told[]> {
  if (path === undefined) {
    const response = await fetch(source)
    if (!response.ok) throw new Error(`${source} answers ${response.status}; give the path of the file instead`)
    return (await response.json()) as Told[]
  }
  if (!(await stat(path)).isDirectory()) return JSON.parse(await readFile(path, 'utf8'))
  const files = (await readdir(path)).filter((file) => file.endsWith('.json')).sort()
  return Promise.all(files.map(async (file) => JSON.parse(await readFile(join(path, file), 'utf8'))))
}

function turnsOf(conversation: Told): Turn[] {
  const turns: Turn[] = []
  for (let session = 1; session < 100; session++) {
    for (const turn of conversation[`session_${session}`] ?? []) if (turn.dia_id) turns.push(turn)
  }
  return turns
}

/** Questions of category 5 have no answer in the conversation. */
function questionsOf(questions: readonly Question[], conversationId: string, turns: readonly Turn[]): Asked[] {
  const seqs = new Map(turns.map(({ dia_id }, index) => [dia_id, index + 1]))
  return questions.flatMap(({ question, evidence = [], category }) => {
    const known = evidence.flatMap((text) => text.split(/[;,\s]+/)).map((id) => seqs.get(id))
    const found = [...new Set(known.filter((seq) => seq !== undefined))]
    return category === 5 || found.length === 0 ? [] : [{ conversationId, question, evidence: found }]
  })
}

type Ask = (query: string, variables: Record<string, unknown>) => Promise<Told>

function askerOf(url: string): Ask {
  return async (query, variables) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-user-id': user },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = (await response.json()) as Told
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }
}

async function append(ask: Ask, conversationId: string, turns: readonly Turn[]): Promise<void> {
  const first = turns[0]?.speaker
  const messages = turns.map(({ speaker, text, blip_caption: caption }) => ({
    role: speaker === first ? 'USER' : 'ASSISTANT',
    name: speaker,
    content: caption === undefined ? text : `${text} [${caption}]`,
  }))
  for (let at = 0; at < messages.length; at += 100) {
    const input = { conversationId, ifMissing: 'CREATE', messages: messages.slice(at, at + 100) }
    await ask('mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }', { input })
  }
}

/** Waits until the last message of every conversation is found, so that all are. */
async function untilFound(ask: Ask, conversations: number): Promise<void> {
  for (let index = 0; index < conversations; index++) {
    const conversationId = `conversation-${index}`
    await append(ask, conversationId, [{ dia_id: '', speaker: 'nobody', text: 'lastofall' }])
    while (!(await search(ask, '"lastofall"', conversationId)).size) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function search(ask: Ask, query: string, conversationId: string | null): Promise<ReadonlySet<string>> {
  const { searchMessages } = await ask(
    `query ($query: String!, $conversationId: ID) {
      searchMessages(query: $query, conversationId: $conversationId, first: 10) { nodes { seq conversationId } }
    }`,
    { query, conversationId },
  )
  return new Set(searchMessages.nodes.map((node: Told) => `${node.conversationId} ${node.seq}`))
}
