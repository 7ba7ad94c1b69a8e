import { openThread } from '@colloquy/client/assistant-ui'
import type { Session } from '../app/session.ts'
import { newConversation } from './new-conversation.ts'
import { unsentIn, unsentStorage } from './unsent-storage.ts'

/** Sends what was written before the page was left, in whichever conversations. @returns ends it */
export function sendUnsent(session: Session): () => void {
  const threads = unsentIn(session.owner).map((conversationId) => {
    const thread = openThread({
      client: session.socket,
      conversationId,
      newConversation: newConversation(session),
      storage: unsentStorage(session.owner),
    })
    thread.subscribe(() => {
      const { status, store } = thread.snapshot()
      const isWaiting = store.messages.some(({ metadata }) => metadata.custom.sent === 'pending')
      if (status !== 'loading' && !isWaiting) thread.close()
    })
    return thread
  })
  return () => {
    for (const thread of threads) thread.close()
  }
}
