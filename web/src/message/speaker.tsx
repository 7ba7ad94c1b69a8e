import { useAuiState } from '@assistant-ui/react'
import { Face } from '../live/faces.tsx'
import { nameOf, usePeople, useShownState, wholePeople } from '../thread/thread-context.ts'

/** Who wrote the message around; nothing for one's own. */
export function Speaker() {
  const { name, author, isOwn } = useShownState()
  const role = useAuiState(({ message }) => message.role)
  const people = usePeople(wholePeople)
  if (role === 'system') return <p className="speaker">Instructions</p>
  if (role === 'assistant') return <p className="speaker">{name ?? author?.name ?? 'Assistant'}</p>
  if (isOwn || author === null) return name === null ? null : <p className="speaker">{name}</p>
  const said = name ?? nameOf(people, author.userId)
  return (
    <p className="speaker">
      <Face name={said} />
      {said}
      {author.kind !== 'USER' && author.name !== null && <span className="by"> by {author.name}</span>}
    </p>
  )
}
