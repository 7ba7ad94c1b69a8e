import { usePeople, useShown } from '../thread/thread-context.ts'
import { Faces } from './faces.tsx'

/** Who else has the conversation open. */
export function Here() {
  const count = usePeople((people) => people?.present?.count ?? 0)
  const others = useShown(({ present, viewer }) => (present?.userIds ?? []).filter((userId) => userId !== viewer))
  if (count < 2) return null
  // Of very many nobody is named.
  const text = others.length === 0 ? `${count} people are here` : `Here: ${others.map(({ name }) => name).join(', ')}`
  return (
    <p className="here" title={text}>
      <span className="hidden">{text}</span>
      {others.length === 0 ? <span aria-hidden="true">{count} here</span> : <Faces people={others} most={3} />}
    </p>
  )
}
