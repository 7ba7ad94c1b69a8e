import { query, type Row, type Runner, type Statement } from '../postgres/statement.ts'
import type { Turns } from '../postgres/turns.ts'

/** What a look found, and how many milliseconds PostgreSQL took for it. */
interface Look {
  readonly found: number
  readonly tookMs: number
}

/** How many messages one statement looks at, about: far fewer than it could in the time that a statement has. */
const messagesAtOnce = 50_000

/** Asks PostgreSQL how much a user has. */
export class Looks {
  readonly #on: Runner
  readonly #turns: Turns
  readonly #ending: AbortSignal

  constructor(on: Runner, turns: Turns, ending: AbortSignal) {
    this.#on = on
    this.#turns = turns
    this.#ending = ending
  }

  async conversations(userId: string): Promise<Look> {
    const { row, tookMs } = await this.#ask(count, [userId])
    return { found: Number(row[0]), tookMs }
  }

  async streams(userId: string): Promise<Look> {
    const { row, tookMs } = await this.#ask(countStreams, [userId])
    return { found: Number(row[0]), tookMs }
  }

  /** In several statements, if the user has many messages: those of conversations whose keys lie in one range, then in the next. */
  async bytes(userId: string): Promise<Look> {
    const counted = await this.#ask(count, [userId])
    const ranges = Math.max(1, Math.ceil(Number(counted.row[1]) / messagesAtOnce))
    let { tookMs } = counted
    let found = 0
    for (let range = 0; range < ranges; range++) {
      const summed = await this.#ask(sumBytes, [userId, startOf(range, ranges), startOf(range + 1, ranges)])
      found += Number(summed.row[0])
      tookMs += summed.tookMs
    }
    return { found, tookMs }
  }

  /** Runs a statement that answers one row, in its turn. */
  #ask(statement: Statement<'user'>, values: unknown[]): Promise<{ readonly row: Row; readonly tookMs: number }> {
    return this.#turns.take(async () => {
      const began = performance.now()
      try {
        this.#ending.throwIfAborted()
        const [row] = await query(this.#on, statement, values)
        return { row: row as Row, tookMs: performance.now() - began }
      } catch (error) {
        // The server has closed the connection by itself.
        if (this.#ending.aborted) return { row: [0, 0], tookMs: 0 }
        throw error
      }
    })
  }
}

/** The first key of a range, of so many of the same width. Keys are hashes, so that each has about as many. null: the end. */
function startOf(range: number, ranges: number): string | null {
  if (range === ranges) return null
  const start = Math.floor((range * 2 ** 32) / ranges)
  return `${start.toString(16).padStart(8, '0')}-0000-0000-0000-000000000000`
}

/** The conversations of a user, and about how many messages they have. */
const count: Statement<'user'> = {
  name: 'quota-conversations',
  kind: 'user',
  text: `
    select count(*), coalesce(sum(c.last_seq), 0) from conversation c where c.user_id = $1 and c.deleted_at is null`,
}

/**
 * What callers gave of messages, as the limits of a message and of a fork count it. The text of a message that streams is
 * not in its own size. No text is read, and no column of a message holds a sum: with an index for this, each append would
 * write more.
 */
const sumBytes: Statement<'user'> = {
  name: 'quota-bytes',
  kind: 'user',
  text: `
    select coalesce(sum(m.size), 0) + coalesce(sum(s.size), 0)
    from conversation c
    join message m on m.conversation_key = c.key
    left join message_stream s on s.conversation_key = m.conversation_key and s.seq = m.seq
    where c.user_id = $1 and c.deleted_at is null and c.key >= $2 and ($3::uuid is null or c.key < $3)`,
}

const countStreams: Statement<'user'> = {
  name: 'quota-streams',
  kind: 'user',
  text: `
    select count(*) from conversation c join message_stream s on s.conversation_key = c.key
    where c.user_id = $1 and c.deleted_at is null`,
}
