import { placeHead } from '../../src/entities/ids/place.ts'
import { edgeCursor } from '../../src/graphql/page/cursor.ts'
import { conversationKey } from '../../src/storage/conversation/conversation-key.ts'
import type { Case } from '../case.ts'
import { drive, type Load, type Measurement } from '../compare.ts'
import { type Contender, ours } from '../contenders.ts'
import { ownerOf, standardData } from '../data.ts'
import { pageBefore } from '../documents.ts'
import type { Conversations } from '../load/job.ts'
import { median, show } from '../numbers.ts'
import { Program } from '../program.ts'

const goal = 1.2
const longMessages = 1_000_000
const fullConversations = 100_000

/** Only reads a page before one of the cursors. */
const contender: Contender = { ...ours, questions: { ...ours.questions, page: pageBefore } }

/** One conversation of the standard data, and the long one. */
const short: Conversations = { first: 4711, count: 1 }
const long: Conversations = { first: 0, count: 1, only: { user: 'long', id: 'long' } }

interface Pair {
  readonly name: string
  readonly small: Load
  readonly large: Load
}

export const growth: Case = {
  name: 'growth',
  title: 'Growth',
  async run(bench) {
    const { database, options } = bench
    const data = { conversations: options.full ? fullConversations : standardData.conversations, long: longMessages }
    const smallUrl = await database.copy('bench', standardData)
    const largeUrl = await database.shared(data)
    await using small = await Program.start(ours.command(smallUrl))
    await using large = await Program.start(ours.command(largeUrl))
    const compared = []
    for (const pair of pairs(data.conversations)) {
      const turns = { small: [] as Measurement[], large: [] as Measurement[] }
      for (let round = 0; round < Math.min(options.rounds, 2); round++) {
        const warmUpSeconds = round === 0 ? 1.5 : 0.5
        turns.small.push(await drive(bench, contender, small, smallUrl, pair.small, warmUpSeconds))
        turns.large.push(await drive(bench, contender, large, largeUrl, pair.large, warmUpSeconds))
      }
      const ratio = cost(turns.large) / cost(turns.small)
      console.error(`  ${pair.name}: ${show(cost(turns.small))} ${show(cost(turns.large))}`)
      compared.push({ name: pair.name, ...turns, ratio })
    }
    const messages = data.conversations * 100 + longMessages
    return {
      method: `The standard data against a conversation of ${longMessages.toLocaleString('en-US')} messages in a table of ${messages.toLocaleString('en-US')}, 32 connections. CPU is that of the server and PostgreSQL per request.`,
      columns: ['', 'µs small', 'µs large', 'ratio', 'p50 ms small', 'p50 ms large'],
      rows: compared.map(({ name, small, large, ratio }) => [
        name,
        ...[cost(small), cost(large), ratio, latency(small), latency(large)].map(show),
      ]),
      goals: compared.map(({ name, ratio }) => ({
        goal: `${name}: ≤ ${goal} × small`,
        reached: `${show(ratio)} ×`,
        isReached: ratio <= goal,
      })),
      notes: options.full
        ? []
        : ['The table of 10,000,000 messages takes minutes to make: `npm run bench -- growth --full`.'],
    }
  },
}

function pairs(conversations: number): Pair[] {
  const connections = 32
  const few: Conversations = { first: 0, count: standardData.conversations }
  const many: Conversations = { first: 0, count: conversations }
  const shortCursors = cursors(conversationKey(ownerOf(short.first), String(short.first)), short.first + 1, 100)
  const longCursors = cursors(conversationKey('long', 'long'), 1, longMessages)
  return [
    {
      name: 'append to one conversation',
      small: { question: 'append', connections, conversations: short },
      large: { question: 'append', connections, conversations: long },
    },
    {
      name: 'append to any conversation',
      small: { question: 'append', connections, conversations: few },
      large: { question: 'append', connections, conversations: many },
    },
    {
      name: 'page from anywhere in one conversation',
      small: { question: 'page', connections, conversations: short, cursors: shortCursors },
      large: { question: 'page', connections, conversations: long, cursors: longCursors },
    },
    {
      name: 'list of any user',
      small: { question: 'list', connections, conversations: few },
      large: { question: 'list', connections, conversations: many },
    },
  ]
}

/** Places with at least 50 messages before them. */
function cursors(key: string, epoch: number, messages: number): string[] {
  return Array.from({ length: 1_000 }, () =>
    edgeCursor(placeHead({ key, epoch }), 51 + Math.floor(Math.random() * (messages - 50))),
  )
}

function cost(turns: readonly Measurement[]): number {
  return median(turns.map(({ serverCpu, databaseCpu }) => serverCpu + databaseCpu))
}

function latency(turns: readonly Measurement[]): number {
  return median(turns.map(({ p50 }) => p50))
}
