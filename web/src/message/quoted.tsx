import { Icon } from '../app/icons.tsx'
import { goToMessage, useConversationId } from '../app/place.ts'
import { agentOf, nameOf, usePeople, useShownState, wholePeople } from '../thread/thread-context.ts'
import { Words } from './words.tsx'

/** The message to which the one around replies, and the way there. */
export function Quoted() {
  const { replyTo } = useShownState()
  const conversationId = useConversationId()
  const people = usePeople(wholePeople)
  if (replyTo === null || conversationId === null) return null
  const { role, name, author, content } = replyTo
  const who = name ?? (role === 'USER' ? nameOf(people, author.userId) : (agentOf(author) ?? 'Assistant'))
  return (
    <button type="button" className="quoted" onClick={() => goToMessage(conversationId, replyTo.id)}>
      <span className="hidden">In reply to </span>
      <span className="quoted-who">
        <Icon name="reply" />
        {who}
      </span>
      <span className="quoted-text">
        {content ? <Words text={content} isMarkdown={role === 'ASSISTANT'} /> : 'A picture'}
      </span>
    </button>
  )
}
