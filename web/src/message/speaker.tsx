import { useAuiState } from '@assistant-ui/react'
import { Face } from '../live/faces.tsx'
import { agentOf, nameOf, usePeople, useShownState, wholePeople } from '../thread/thread-context.ts'

/** Who wrote the message around; nothing for one's own. */
export function Speaker() {
  const { name, author, isOwn } = useShownState()
  const role = useAuiState(({ message }) => message.role)
  const people = usePeople(wholePeople)
  if (role === 'system') return <p className="speaker">Instructions</p>
  if (role === 'assistant') return <p className="speaker">{name ?? agentOf(author) ?? 'Assistant'}</p>
  if (isOwn || author === null) return name === null ? null : <p className="speaker">{name}</p>
  const called = nameOf(people, author.userId)
  const isUser = author.kind === 'USER'
  // What a caller says is shown as what it is, where the server knows better.
  const by = isUser && author.name !== null && name !== author.name && name !== null ? called : agentOf(author)
  return (
    <p className="speaker">
      <Face name={name ?? called} picture={isUser ? (people?.pictures[author.userId] ?? null) : null} />
      {name ?? called}
      {by !== null && <span className="by"> by {by}</span>}
    </p>
  )
}
