import { openThread } from '@colloquy/client/assistant-ui'
import type { Session } from '../app/session.ts'
import { newConversation } from './new-conversation.ts'
import { unsentIn, unsentStorage } from './unsent-storage.ts'

/** Sends what was written before the page was left, in whichever conversations. @returns ends it */
export function sendUnsent(session: Session): () => void {
  const threads = unsentIn(session.owner).map((conversationId) =>
    openThread({
      client: session.socket,
      conversationId,
      newConversation: newConversation(session),
      storage: unsentStorage(session.owner),
    }),
  )
  return () => {
    for (const thread of threads) thread.close()
  }
}
