/** A message as an answer or an event showed it. */
export interface Told {
  readonly id: string
  readonly seq: number
  readonly content: string | null
}

/** A message as it is stored in the end. */
export interface Stored extends Told {
  readonly clientId: string | null
}

/** A message that somebody tried to append, once or again and again with its client id. */
export interface Attempt {
  /** null: it was sent once only, and an answer that did not come leaves open whether it is stored. */
  readonly clientId: string | null
  /** No other attempt has the same. */
  readonly content: string
  /** Every answer that it got. None: nobody knows whether it is stored. */
  readonly answers: readonly Told[]
}

/** Somebody who begins an attempt when the one before it was answered or given up. */
export interface Writing {
  readonly writer: string
  readonly attempts: readonly Attempt[]
}

/** Somebody who is to be shown every message from after one seq up to another one, through however many connections. */
export interface Following {
  readonly follower: string
  readonly after: number
  readonly end: number
  readonly seen: readonly Told[]
}

/** What happened to one conversation in which nothing was edited or deleted. */
export interface History {
  readonly conversationId: string
  /** By seq. */
  readonly stored: readonly Stored[]
  readonly writings: readonly Writing[]
  readonly followings: readonly Following[]
}

/** What must not be in a history. */
export type Breach =
  | 'an acknowledged append is missing'
  | 'an acknowledged append is stored twice'
  | 'an append that was not acknowledged is stored twice'
  | 'an append is stored otherwise than it was acknowledged'
  | 'nobody wrote what is stored'
  | 'the seqs have a gap'
  | "a writer's messages are not in its order"
  | 'a client id was answered with another message'
  | 'a follower missed a message'
  | 'a follower was shown a message again'
  | 'a follower was shown messages out of order'
  | 'a follower was shown what is not stored'

export interface Finding {
  readonly breach: Breach
  /** Which message, writer or follower. */
  readonly of: string
}

/** Everything that is wrong with a history; empty: what was acknowledged is there once, and everyone was told of it once. */
export function findBreaches({ conversationId, stored, writings, followings }: History): Finding[] {
  const byContent = Map.groupBy(stored, ({ content }) => content)
  const found = [
    ...findGaps(stored),
    ...findStrangers(stored, writings),
    ...writings.flatMap(({ attempts }) => attempts.flatMap((attempt) => findInAttempt(attempt, byContent))),
    ...writings.flatMap((writing) => findDisorder(writing, byContent)),
    ...followings.flatMap((following) => findInFollowing(following, stored)),
  ]
  return found.map(({ breach, of }) => ({ breach, of: `${conversationId}: ${of}` }))
}

type ByContent = ReadonlyMap<string | null, readonly Stored[]>

function findGaps(stored: readonly Stored[]): Finding[] {
  const index = stored.findIndex(({ seq }, at) => seq !== at + 1)
  return index === -1 ? [] : [{ breach: 'the seqs have a gap', of: `seq ${stored[index]?.seq} stands at ${index + 1}` }]
}

function findStrangers(stored: readonly Stored[], writings: readonly Writing[]): Finding[] {
  const known = new Set<string | null>(writings.flatMap(({ attempts }) => attempts.map(({ content }) => content)))
  const strangers = stored.filter(({ content }) => !known.has(content))
  return strangers.map(({ seq, content }) => ({ breach: 'nobody wrote what is stored', of: `seq ${seq} ${content}` }))
}

function findInAttempt({ content, clientId, answers }: Attempt, byContent: ByContent): Finding[] {
  const copies = byContent.get(content) ?? []
  const [first, ...others] = answers
  const [copy] = copies
  const find = (breach: Breach): Finding[] => [{ breach, of: content }]
  if (first === undefined) return copies.length > 1 ? find('an append that was not acknowledged is stored twice') : []
  if (others.some((other) => !isSame(other, first))) return find('a client id was answered with another message')
  if (copy === undefined) return find('an acknowledged append is missing')
  if (copies.length > 1) return find('an acknowledged append is stored twice')
  const isAsTold = isSame(copy, first) && copy.clientId === clientId
  return isAsTold ? [] : find('an append is stored otherwise than it was acknowledged')
}

/** What was acknowledged stands before everything that its writer began later, be that acknowledged or not. */
function findDisorder({ writer, attempts }: Writing, byContent: ByContent): Finding[] {
  let last = 0
  for (const { content, answers } of attempts) {
    const seq = byContent.get(content)?.[0]?.seq
    if (seq === undefined) continue
    if (seq < last) return [{ breach: "a writer's messages are not in its order", of: `${writer}: ${content}` }]
    if (answers.length > 0) last = seq
  }
  return []
}

function findInFollowing({ follower, after, end, seen }: Following, stored: readonly Stored[]): Finding[] {
  const found: Finding[] = []
  const find = (breach: Breach, seq: number) => found.push({ breach, of: `${follower}: seq ${seq}` })
  const bySeq = new Map(stored.map((message) => [message.seq, message]))
  const shown = new Set<number>()
  let last = after
  for (const told of seen) {
    const copy = bySeq.get(told.seq)
    if (copy === undefined || !isSame(told, copy) || told.seq > end) {
      find('a follower was shown what is not stored', told.seq)
    } else if (shown.has(told.seq) || told.seq <= after) {
      find('a follower was shown a message again', told.seq)
    } else if (told.seq < last) {
      find('a follower was shown messages out of order', told.seq)
    }
    shown.add(told.seq)
    last = Math.max(last, told.seq)
  }
  for (let seq = after + 1; seq <= end; seq++) if (!shown.has(seq)) find('a follower missed a message', seq)
  return found
}

function isSame(one: Told, other: Told): boolean {
  return one.id === other.id && one.seq === other.seq && one.content === other.content
}
