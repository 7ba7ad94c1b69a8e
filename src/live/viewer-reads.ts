import type { Conversation } from '../entities/conversation.ts'
import { readFirstSeqs } from '../storage/participant/taking-part.ts'
import type { AnswerBudget } from '../storage/postgres/answer-budget.ts'
import type { Store } from '../storage/postgres/store.ts'
import type { HeldReads } from './shared-reads.ts'

/** A read of a conversation by one who takes part in it. */
export interface ViewerRead<Read, Told> {
  /** Equal for reads that ask the same, for the owner and for others apart. See `questionOf`. */
  readonly question: string
  readonly userId: string
  readonly where: Pick<Conversation, 'key' | 'epoch'> & { readonly ownerId: string }
  /** Reads what this user may read. */
  readonly ask: (budget: AnswerBudget, userId: string) => Promise<Read>
  /** What feeds of one user make of it, and share. */
  readonly toTold: (read: Read) => Told
  readonly take: (told: Told) => void
}

/** The feeds of a conversation's owner share reads with each other, and those of all others do. */
export function questionOf(what: string, userId: string, ownerId: string): string {
  return `${what} ${userId === ownerId ? 'of its owner' : 'of others than'} ${ownerId}`
}

/**
 * Reads for a feed. A thousand people in a conversation are no reason to read a message a thousand times: for all of them
 * who ask in one turn it is read as the owner reads it, and after that, who of them takes part and reads all of it. Whoever
 * does not is read for alone.
 */
export function readForViewer<Read, Told>(
  reads: HeldReads,
  store: Store,
  { question, userId, where, ask, toTold, take }: ViewerRead<Read, Told>,
): void {
  const askAs = (id: string) => async (budget: AnswerBudget) => toTold(await ask(budget, id))
  if (userId === where.ownerId) {
    reads.once(question, askAs(userId), take)
    return
  }
  const askForAll = async (budget: AnswerBudget, asking: readonly string[]) => {
    const userIds = [...new Set(asking)]
    if (userIds.length === 1) return { isAlone: true, told: await askAs(userId)(budget) } as const
    const read = await ask(budget, where.ownerId)
    return { isAlone: false, read, firstSeqs: await readFirstSeqs(store.reads, where, userIds) } as const
  }
  reads.once(
    question,
    askForAll,
    (answer) => {
      if (answer.isAlone) take(answer.told)
      // Events belong to one user: they say what this user's own is.
      else if (answer.read !== null && answer.firstSeqs.get(userId) === 1) take(toTold(answer.read))
      else reads.once(`${question} ${userId}`, askAs(userId), take)
    },
    userId,
  )
}
