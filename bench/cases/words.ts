import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from 'pg'
import type { Bench, Case } from '../case.ts'
import { meter } from '../compare.ts'
import { type Contender, ours, participants } from '../contenders.ts'
import { standardData } from '../data.ts'
import { connect } from '../database.ts'
import { questions } from '../documents.ts'
import { median, show } from '../numbers.ts'
import { Program } from '../program.ts'
import { inTurns } from '../turns.ts'

const connections = 16

interface Turn {
  readonly appends: number
  /** Microseconds for each append, until all of its words are there. */
  readonly server: number
  readonly postgres: number
  /** Seconds after the last append. */
  readonly behind: number
}

/** What filling the words for `searchMessages` costs, which is done beside the appends and after them. */
export const words: Case = {
  name: 'words',
  title: 'Appends with and without the words for search',
  async run(bench) {
    await using entered = new AsyncDisposableStack()
    const entrants = []
    for (const [index, contender] of participants([ours], bench.options).entries()) {
      for (const fills of [false, true]) {
        const url = await bench.database.copy(`bench_words_${index}_${fills}`, standardData)
        const program = entered.use(await Program.start(filling(contender, fills).command(url)))
        const client = entered.use(await connect(url))
        entrants.push({ name: `${contender.name}, ${fills ? 'with' : 'without'} words`, program, client, fills })
      }
    }
    const measured = await inTurns(entrants, {
      rounds: bench.options.rounds,
      take: (entrant, round) => takeTurn(bench, entrant, round === 0 ? 2 : 0.5),
      medians,
      describe,
    })
    const [without, withWords] = [...measured.values()] as [Turn, Turn]
    const more = withWords.server - without.server
    return {
      method: `${connections} connections append messages, half of them short and half of up to 1,500 characters, to random conversations; the processor is read when all words are there.`,
      columns: ['', 'appends', 'server µs', 'PostgreSQL µs', 'words behind, s'],
      rows: [...measured].map(([name, turn]) => [name, ...describe(turn)]),
      goals: [],
      notes: [
        `The words of a message cost ${show(more)} µs of server and ${show(withWords.postgres - without.postgres)} of PostgreSQL.`,
      ],
    }
  },
}

function filling(contender: Contender, fills: boolean): Contender {
  const command = (databaseUrl: string) => {
    const { env, ...rest } = contender.command(databaseUrl)
    return { ...rest, env: { ...env, SEARCH_FILL: fills ? 'on' : 'off' } }
  }
  return { ...contender, command }
}

interface Entrant {
  readonly program: Program
  readonly client: Client
  readonly fills: boolean
}

async function takeTurn(bench: Bench, { program, client, fills }: Entrant, warmUpSeconds: number): Promise<Turn> {
  const used = meter(program, bench.database)
  const conversations = { first: 0, count: standardData.conversations }
  const job = { kind: 'requests', port: program.port, request: questions.append, connections, conversations } as const
  const load = (seconds: number, began: () => void) =>
    bench.generator.run<'requests'>({ ...job, warmUpSeconds: 0, seconds }, began, () => {})
  await load(warmUpSeconds, () => {})
  if (fills) await untilFilled(client)
  const { completed } = await load(bench.options.seconds, used.begin)
  const ended = performance.now()
  if (fills) await untilFilled(client)
  used.end()
  const behind = fills ? (performance.now() - ended) / 1_000 : 0
  return { appends: completed, server: used.server / completed, postgres: used.postgres / completed, behind }
}

/** Asks seldom, for to ask costs PostgreSQL some milliseconds. */
async function untilFilled(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query(
      `select exists (select from conversation c left join conversation_words w on w.conversation_key = c.key
         where w.seq is distinct from c.last_seq) as behind`,
    )
    if (!rows[0].behind) return
    await pause(500)
  }
}

function medians(turns: readonly Turn[]): Turn {
  const of = (name: keyof Turn) => median(turns.map((turn) => turn[name]))
  return { appends: of('appends'), server: of('server'), postgres: of('postgres'), behind: of('behind') }
}

function describe({ appends, server, postgres, behind }: Turn): string[] {
  return [appends, server, postgres, behind].map(show)
}
