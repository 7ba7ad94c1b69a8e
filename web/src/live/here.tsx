import { nameOf, usePeople, wholePeople } from '../thread/thread-context.ts'
import { Faces } from './faces.tsx'

/** Who else has the conversation open. */
export function Here() {
  const people = usePeople(wholePeople)
  const { count = 0, userIds = [] } = people?.present ?? {}
  if (count < 2) return null
  const others = userIds.filter((userId) => userId !== people?.viewer).map((userId) => nameOf(people, userId))
  // Of very many nobody is named.
  const text = others.length === 0 ? `${count} people are here` : `Here: ${others.join(', ')}`
  return (
    <p className="here" title={text}>
      <span className="hidden">{text}</span>
      {others.length === 0 ? <span aria-hidden="true">{count} here</span> : <Faces names={others} most={3} />}
    </p>
  )
}
