import { ConversationMissing } from '../../facts.ts'
import { readPayer } from '../conversation/conversation-owner.ts'
import { type Room, within } from '../postgres/quota.ts'
import type { Store } from '../postgres/store.ts'
import type { Append, Appended } from './append.ts'

/**
 * Appends within the quotas of the conversation's owner, whoever appends. While there is room for all of the append, it is stored as if
 * there were no quota. Otherwise it takes the longer way, on which it says what it needs once it is known what of it is
 * stored already: a replay needs nothing.
 *
 * @param run does an append, for which this user pays
 * @throws QuotaExceeded, and what `run` throws
 */
export async function appendWithin<A extends Appended>(
  store: Store,
  append: Append,
  run: (append: Append, payer: string) => Promise<A>,
): Promise<A> {
  const { conversations, bytes } = store.quotas
  const payer = await readPayer(store, append.to, 'conversations', 'bytes', 'streams')
  const runFor = (asked: Append) => run(asked, payer)
  const { createIfMissing, onExisting, messages } = append
  const size = messages.reduce((sum, message) => sum + message.size, 0)
  return within(createIfMissing ? conversations : null, payer, 1, (conversation) =>
    within(bytes, payer, size, async (room) => {
      const asked: Append = room.isWhole ? append : { ...append, requireRoom: room.require }
      const appended = conversation.isWhole ? await runFor(asked) : await runUnlessMissing(asked, runFor, conversation)
      if (room.isWhole) room.use(storedBytes(appended), onExisting === 'FAIL')
      const isFirst = appended.messages[0]?.seq === 1 && appended.replayed[0] === false
      // The conversation may have been there, and empty.
      conversation.use(isFirst ? 1 : 0, !isFirst)
      return appended
    }),
  )
}

/** Appends to a conversation that exists. @throws QuotaExceeded in place of creating one */
async function runUnlessMissing<A>(append: Append, run: (append: Append) => Promise<A>, room: Room): Promise<A> {
  try {
    return await run({ ...append, createIfMissing: false })
  } catch (error) {
    if (!(error instanceof ConversationMissing)) throw error
    room.require(1)
    return run(append)
  }
}

function storedBytes({ messages, replayed }: Appended): number {
  return messages.reduce((sum, { size }, index) => (replayed[index] === true ? sum : sum + size), 0)
}
