import type { Awaiting } from '../../database/reads/lone-reads.ts'
import { AnswerTooLarge } from '../../facts.ts'
import { queryKey, type Row, type Runner, type Statement } from './statement.ts'
import type { Store } from './store.ts'

/**
 * A statement about one conversation, and what it gets. Its last parameter, which is not among the values, is its room:
 * the bytes that its rows may have. Its first column is the sum of bytes up to each row, in the order in which the rows
 * count. It answers the rows that have room, and the next one, whose long columns it may leave out.
 */
export interface KeyAsk {
  readonly statement: Statement<'key'>
  readonly key: string
  /** From `$2` on. */
  readonly values: readonly unknown[]
}

/** What becomes of rows that have more bytes than there is room for: none is answered, or as many as there is room for. */
export type Excess = 'refused' | 'cut'

/** The most bytes that are asked for in the first place, where other reads stand behind. Few answers are larger. */
const shortRoom = 256 * 1024

/**
 * The rows of all asks, in order. Each is asked for with little room, all at once. What needs more is asked for again on
 * the pool, where nobody stands behind it.
 *
 * An ask that is cut keeps at least one row. One row can always be read if it is the only one of its answer.
 *
 * @param limits `left`: the bytes that all rows may have; `spent`: those that the answer has already
 * @throws AnswerTooLarge
 */
export async function readKeys(
  store: Store,
  asks: readonly KeyAsk[],
  { left, spent }: { readonly left: number; readonly spent: number },
  excess: Excess,
  awaiting: Awaiting,
): Promise<Row[][]> {
  const room = Math.min(shortRoom, Math.floor(left / asks.length))
  const answers = await Promise.all(asks.map((ask) => read(store.reads, ask, room, awaiting)))
  while (!answers.every(isWhole)) {
    const needs = answers.map((answer) => toNeed(answer, excess))
    const least = needs.reduce((sum, need) => sum + need.least, 0)
    const isOneRow = spent === 0 && answers.flatMap(({ rows }) => rows.filter((row) => bytesTo(row) > 0)).length === 1
    if (least > left && !isOneRow) throw new AnswerTooLarge(spent + left, spent + least)
    const rooms = share(Math.max(left, least), needs)
    for (const [index, answer] of answers.entries()) {
      const larger = rooms[index] as number
      if (!isWhole(answer) && larger > answer.room) {
        answers[index] = await read(store.lone, answer.ask, larger, awaiting)
      }
    }
    if (excess === 'refused') continue
    const cut = answers.map(({ rows }, index) => rows.filter((row) => bytesTo(row) <= (rooms[index] as number)))
    // A message that is being written may have grown meanwhile, and has no room any more.
    if (cut.every(({ length }, index) => length > 0 || answers[index]?.rows.length === 0)) return cut
  }
  return answers.map(({ rows }) => rows)
}

/** The bytes of all rows. */
export function bytesOf(rows: readonly Row[]): number {
  return rows.reduce((most, row) => Math.max(most, bytesTo(row)), 0)
}

interface Answer {
  readonly ask: KeyAsk
  readonly room: number
  readonly rows: Row[]
  /** Those of the first row that has no room are among them. */
  readonly bytes: number
}

async function read(on: Runner, ask: KeyAsk, room: number, awaiting: Awaiting): Promise<Answer> {
  const rows = await queryKey(on, ask.statement, ask.key, [...ask.values, room], awaiting)
  return { ask, room, rows, bytes: bytesOf(rows) }
}

function isWhole({ bytes, room }: Answer): boolean {
  return bytes <= room
}

/** How many bytes an answer needs: at least, and at most as far as is known. */
interface Need {
  readonly least: number
  readonly most: number
}

function toNeed(answer: Answer, excess: Excess): Need {
  const { rows, bytes } = answer
  const first = rows.length === 0 ? 0 : Math.min(...rows.map(bytesTo))
  return {
    least: excess === 'cut' ? first : bytes,
    most: isWhole(answer) ? bytes : Number.POSITIVE_INFINITY,
  }
}

/** Gives each what it needs at least, and equal parts of the rest to those that need more. */
function share(bytes: number, needs: readonly Need[]): number[] {
  const shares = needs.map(({ least }) => least)
  let rest = shares.reduce((left, least) => left - least, bytes)
  for (;;) {
    const needy = needs.flatMap(({ most }, index) => (most > (shares[index] as number) ? [index] : []))
    const part = Math.floor(rest / needy.length)
    if (needy.length === 0 || part === 0) return shares
    for (const index of needy) {
      const more = Math.min(part, (needs[index] as Need).most - (shares[index] as number))
      shares[index] = (shares[index] as number) + more
      rest -= more
    }
  }
}

/** The sum of bytes up to a row. */
function bytesTo(row: Row): number {
  return Number(row[0] ?? 0)
}
