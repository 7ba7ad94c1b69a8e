import type { Message } from '../entities/message/message.ts'
import type { ContextFormat, OmissionReason, PendingCallRule, ReasoningContent } from '../entities/window-enums.ts'
import { ContextTooSmall } from '../facts.ts'
import type { Dialect } from './dialects/dialect.ts'
import { dialectOf } from './dialects/dialects.ts'
import { withoutLastReasoning } from './entries/fit.ts'
import { countImages, imagesLeftOut, leaveOutImages, mostTokensLeftOut, tokensLeftOut } from './entries/images.ts'
import { withoutLostIds } from './entries/item-ids.ts'
import { loseIds } from './entries/lost-reasoning.ts'
import { type Reading, readCounted, splitAtTurn } from './entries/reading.ts'
import { Repeats } from './entries/repeats.ts'
import type { Said } from './items/item.ts'
import type { PendingCall } from './items/pending-call.ts'
import { type Counted, plainMessage, type Spoken } from './items/spoken.ts'
import type { Step } from './items/step.ts'
import { withAuthors } from './rules/authors.ts'
import { withCacheMarks } from './rules/cache-marks.ts'
import { withCallIds } from './rules/call-ids.ts'
import { type ToolNameChange, withToolNames } from './rules/tool-names.ts'
import { leastTokens, makeTurn, type Turn } from './rules/turn.ts'

export interface WindowRequest {
  readonly format: ContextFormat
  /** The window and the reserve together may have at most this many tokens. */
  readonly maxTokens: number
  readonly reserve: number
  /** The caller's own instructions; the window begins with them. */
  readonly system: { readonly text: string; readonly tokens: number } | null
  /** null or absent: as many as the provider takes. */
  readonly maxImages?: number | null
  /** A message that is not stored yet; the window ends with it. */
  readonly userMessage: Counted<Spoken> | null
  /** How many marks for the provider's cache to set; 0 unless given. */
  readonly cacheMarks?: number
  /** NONE unless given. */
  readonly reasoningContent?: ReasoningContent
  /** INTERRUPT unless given. */
  readonly pendingCalls?: PendingCallRule
  /** Absent: nothing is recalled. */
  readonly recall?: RecallRoom
}

/** What recalled turns get of a window. */
export interface RecallRoom {
  /** So many tokens are kept from the other turns, unless the newest one needs them. */
  readonly tokens: number
  /** What stands before and behind the recalled turns. */
  readonly marks: readonly [before: Counted<Spoken>, behind: Counted<Spoken>]
}

export interface ContextWindow {
  /**
   * The instructions, for a provider that takes them beside the messages; otherwise null, and null when there are none.
   */
  readonly system: unknown
  readonly messages: readonly unknown[]
  readonly tokenCount: number
  /** The stored messages that the window shows, whole or in part, oldest first; the leading messages are among them. */
  readonly included: readonly Message[]
  readonly toolNames: readonly ToolNameChange[]
  readonly reasons: readonly OmissionReason[]
  /** The seqs of those that were recalled. */
  readonly recalled: readonly number[]
  /**
   * `firstSeq` and `lastSeq` are of the included messages that are neither leading ones nor recalled; null when there
   * are none.
   */
  readonly firstSeq: number | null
  readonly lastSeq: number | null
  /** The calls that wait, whatever the window has of them. */
  readonly pendingCalls: readonly PendingCall[]
}

/**
 * Makes the window that a model reads. The caller reads the conversation backwards: it calls `add` with older and older
 * messages until the builder `isFull` or no message is left, and then calls `finish`. The builder takes whole turns,
 * newest first, as long as they fit. A turn begins with words of the user and ends before the user's next words. The
 * builder takes the newest turn even when it is too large; then `finish` throws.
 *
 * One turn more may make a window smaller: its pictures may be those with which a block of older pictures is left out.
 * So the builder goes on while a larger window may fit again, and remembers the largest one that fits.
 */
export class WindowBuilder {
  readonly #request: WindowRequest
  readonly #dialect: Dialect
  readonly #leading: Turn
  readonly #leadingSeqs: ReadonlySet<number>
  readonly #stored = new Map<Spoken, Message>()
  /** Of the messages that are to say it. */
  readonly #authors = new Map<Spoken, string>()
  /** Newest first, because messages are added newest first. */
  readonly #turns: Turn[] = []
  /** How many of the turns are in the window. */
  #taken = 0
  #open: Reading[] = []
  #openTokens = 0
  #openImages = 0
  /** The tokens and pictures of all turns, and the tokens of the window. */
  #tokens: number
  #images = 0
  #takenTokens: number
  #isFull = false
  /** In no order. */
  readonly #recalled: { readonly turn: Turn; readonly seq: number }[] = []

  /** @param leading the SYSTEM and DEVELOPER messages that the conversation begins with, oldest first */
  constructor(request: WindowRequest, leading: readonly Counted[]) {
    this.#request = request
    this.#dialect = dialectOf(request.format, request.reasoningContent ?? 'NONE')
    this.#leadingSeqs = new Set(leading.map(({ message }) => message.seq))
    for (const { message } of leading) this.#stored.set(message, message)
    const system = request.system === null ? [] : [instruction(request.system)]
    const instructions = [...system, ...leading].map((counted) => readCounted(counted, this.#dialect))
    this.#leading = makeTurn(instructions, { dialect: this.#dialect, isNewest: false, pendingCalls: null })
    this.#tokens = this.#leading.tokens
    this.#takenTokens = this.#tokens
    if (request.userMessage !== null) this.#read(request.userMessage)
  }

  /**
   * @param older newest first, all older than the messages of earlier calls; leading messages among them are skipped
   */
  add(older: readonly Counted[]): void {
    for (const counted of older) {
      if (this.#isFull) return
      if (this.#leadingSeqs.has(counted.message.seq)) continue
      this.#stored.set(counted.message, counted.message)
      this.#read(counted)
    }
  }

  /** No older message fits into this window. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Whether a message begins a turn. */
  begins(counted: Counted): boolean {
    return splitAtTurn(readCounted(counted, this.#dialect)) !== null
  }

  /** The seq of the first message that the window has so far, without leading ones; null: there is none. */
  get firstSeq(): number | null {
    return this.#storedOf(this.#turns.slice(0, this.#taken))[0]?.seq ?? null
  }

  /**
   * Takes an older turn into the window, before the turns that it has anyway, if there is room for it. A turn that has
   * nothing to say in this format is left out.
   *
   * @param turn oldest first; the first message begins it
   * @param next the message that begins the next turn; null: there is none. Replies in it belong to this turn.
   */
  recall(turn: readonly Counted[], next: Counted | null): void {
    const [first, ...rest] = turn.map((counted) => this.#toReading(counted))
    const begun = first === undefined ? null : splitAtTurn(first)
    if (begun === null) return
    const replies = next === null ? null : splitAtTurn(this.#toReading(next))
    const readings = [begun.begun, ...rest, ...(replies === null ? [] : [replies.before])]
    const made = makeTurn(loseIds(readings), { dialect: this.#dialect, isNewest: false, pendingCalls: null })
    if (made.steps.length === 0 || made.tokens > this.recallLeft) return
    for (const counted of next === null ? turn : [...turn, next]) this.#stored.set(counted.message, counted.message)
    this.#recalled.push({ turn: made, seq: turn[0]?.message.seq ?? 0 })
  }

  /** How many tokens one more recalled turn may have. */
  get recallLeft(): number {
    const kept = this.#request.recall?.tokens ?? 0
    const used = this.#recalled.length === 0 ? this.#markTokens : this.#recalledTokens
    return Math.min(kept, this.#budget - this.#takenTokens) - used
  }

  get #markTokens(): number {
    return (this.#request.recall?.marks ?? []).reduce((sum, { tokens }) => sum + tokens, 0)
  }

  get #recalledTokens(): number {
    const turns = this.#recalled.reduce((sum, { turn }) => sum + turn.tokens, 0)
    return this.#recalled.length === 0 ? 0 : turns + this.#markTokens
  }

  /** The recalled turns between their marks, oldest first. */
  #recalledTurns(): Turn[] {
    if (this.#recalled.length === 0) return []
    const place = { dialect: this.#dialect, isNewest: false, pendingCalls: null }
    const [before, behind] = (this.#request.recall?.marks ?? []).map((mark) =>
      makeTurn([readCounted(mark, this.#dialect)], place),
    )
    const turns = this.#recalled.toSorted((one, other) => one.seq - other.seq).map(({ turn }) => turn)
    return before === undefined || behind === undefined ? turns : [before, ...turns, behind]
  }

  /** @throws ContextTooSmall when not even the newest turn fits */
  finish(): ContextWindow {
    const { maxTokens, reserve } = this.#request
    if (this.#takenTokens > this.#budget) throw new ContextTooSmall(maxTokens, this.#takenTokens + reserve)
    const taken = this.#turns.slice(0, this.#taken)
    const recalledTurns = this.#recalledTurns()
    const turns = [this.#leading, ...recalledTurns, ...taken.toReversed()]
    const all = turns.flatMap((turn) => turn.steps)
    const leftOut = imagesLeftOut(countImages(all), this.#maxImages)
    const { steps: kept, repeated } = withoutRepeats(leaveOutImages(all, leftOut))
    const steps = withAuthors(kept, this.#authors, this.#dialect.hasAuthorField === true)
    const { format, cacheMarks = 0 } = this.#request
    const named = withToolNames(withCallIds(withoutLostIds(steps), this.#dialect.callIds), format)
    const { hadMarks, ...written } = withCacheMarks(this.#dialect.write(named.steps), format, cacheMarks)
    const leading = this.#storedOf([this.#leading])
    const recalled = this.#storedOf(recalledTurns)
    const said = this.#storedOf(taken)
    return {
      ...written,
      tokenCount: this.#takenTokens + this.#recalledTokens,
      included: [...new Set([...leading, ...recalled, ...said])],
      recalled: recalled.map(({ seq }) => seq),
      toolNames: named.changes,
      reasons: [
        ...this.#reasons(turns, repeated.size > 0),
        ...(leftOut > 0 ? (['IMAGE_LIMIT'] as const) : []),
        ...(named.changes.length > 0 ? (['TOOL_NAME'] as const) : []),
        ...(hadMarks ? (['CACHE_MARK'] as const) : []),
      ],
      firstSeq: said[0]?.seq ?? null,
      lastSeq: said.at(-1)?.seq ?? null,
      pendingCalls: (this.#turns[0]?.pending ?? []).filter(({ call }) => !repeated.has(call)),
    }
  }

  get #budget(): number {
    return this.#request.maxTokens - this.#request.reserve
  }

  /** What the turns may have that are not recalled. */
  get #ownBudget(): number {
    return this.#budget - (this.#request.recall?.tokens ?? 0)
  }

  get #maxImages(): number {
    return this.#request.maxImages ?? this.#dialect.maxImages
  }

  #toReading(counted: Counted<Spoken>): Reading {
    if (counted.author !== undefined) this.#authors.set(counted.message, counted.author.name)
    return readCounted(counted, this.#dialect)
  }

  #read(counted: Counted<Spoken>): void {
    const reading = this.#toReading(counted)
    const split = splitAtTurn(reading)
    this.#keepOpen(split?.begun ?? reading)
    if (split !== null) {
      this.#closeTurn()
      this.#keepOpen(split.before)
    }
    if (this.#turns.length > 0 && this.#leastTokens() > this.#ownBudget) this.#isFull = true
  }

  /** What a window with all that was read has at least, whatever is still to come. */
  #leastTokens(): number {
    const images = this.#images + this.#openImages
    return this.#tokens + this.#openTokens - mostTokensLeftOut(images, this.#maxImages)
  }

  #keepOpen(reading: Reading): void {
    this.#open.push(reading)
    this.#openTokens += leastTokens(reading)
    this.#openImages += countImages(reading.entries)
  }

  #closeTurn(): void {
    const isNewest = this.#turns.length === 0
    const { userMessage, pendingCalls = 'INTERRUPT' } = this.#request
    const mayWait = isNewest && userMessage === null
    const place = { dialect: this.#dialect, isNewest, pendingCalls: mayWait ? pendingCalls : null }
    const turn = makeTurn(loseIds(this.#open.toReversed()), place)
    this.#open = []
    this.#openTokens = 0
    this.#openImages = 0
    this.#turns.push(turn)
    this.#tokens += turn.tokens
    this.#images += countImages(turn.steps)
    const tokens = Math.max(this.#tokens - tokensLeftOut(this.#images, this.#maxImages), 0)
    if (this.#turns.length > 1 && tokens > this.#ownBudget) return
    this.#taken = this.#turns.length
    this.#takenTokens = tokens
  }

  /**
   * The stored messages of these turns, each once, oldest first. They have to be sorted, because a turn puts results
   * behind their calls. Two turns may each hold a part of the same message.
   */
  #storedOf(turns: readonly Turn[]): Message[] {
    const messages = new Set(turns.flatMap((turn) => [...turn.messages]))
    return [...messages].flatMap((message) => this.#stored.get(message) ?? []).sort((one, other) => one.seq - other.seq)
  }

  #reasons(turns: readonly Turn[], isRepeating: boolean): OmissionReason[] {
    const reasons = new Set(turns.flatMap((turn) => [...turn.reasons]))
    if (isRepeating) reasons.add('REPEATED_ITEM')
    if (this.#isFull || this.#taken < this.#turns.length) reasons.add('BUDGET')
    else {
      const first = this.#open.flatMap((reading) => [...reading.reasons])
      for (const reason of first) reasons.add(reason)
      if (this.#open.some(({ entries }) => entries.length > 0)) reasons.add('BEFORE_FIRST_USER')
    }
    return [...reasons]
  }
}

/** Leaves out what an earlier turn of the window has. A turn has no item twice by itself. */
function withoutRepeats(steps: readonly Step[]): { readonly steps: Step[]; readonly repeated: ReadonlySet<Said> } {
  const repeats = new Repeats()
  const repeated = new Set<Said>()
  const kept = steps.flatMap((step): Step[] => {
    for (const item of step.items) if (repeats.isRepeated(item, step.message)) repeated.add(item)
    const items = withoutLastReasoning(step.items.filter((item) => !repeated.has(item)))
    if (items.length === step.items.length) return [step]
    const answers = step.answers.filter(({ call }) => !repeated.has(call))
    const waiting = step.waiting.filter(({ call }) => !repeated.has(call))
    return items.length === 0 ? [] : [{ ...step, items, answers, waiting }]
  })
  return { steps: kept, repeated }
}

function instruction({ text, tokens }: { readonly text: string; readonly tokens: number }): Counted<Spoken> {
  return { message: plainMessage('SYSTEM', text), tokens, reasoningTokens: 0 }
}
