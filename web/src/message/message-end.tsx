import { useAuiState } from '@assistant-ui/react'
import { useEffect, useRef } from 'react'
import { Faces } from '../live/faces.tsx'
import { usePeople, useShown, useThread } from '../thread/thread-context.ts'

/** Whoever sees the end of a message has read it. Those who read no further are shown there. */
export function MessageEnd() {
  const id = useAuiState(({ message }) => message.id)
  const isLast = useAuiState(({ message }) => message.isLast)
  const { seen } = useThread()
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => (end.current === null ? undefined : seen.watch(end.current, id)), [seen, id])
  const readers = useShown((people) => people.readers[id] ?? [])
  const count = usePeople((people) => (isLast ? (people?.readCount ?? 0) : 0))
  const names = readers.map(({ name }) => name).join(', ')
  const text = readers.length > 0 ? `Read by ${names}` : count > 0 ? `Read by ${count}` : ''
  return (
    <div ref={end} className="message-end" aria-live="off" title={text}>
      {readers.length > 0 && <Faces people={readers} />}
      {text !== '' && <span className={readers.length > 0 ? 'hidden' : undefined}>{text}</span>}
    </div>
  )
}
