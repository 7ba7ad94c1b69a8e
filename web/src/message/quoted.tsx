import { Icon } from '../app/icons.tsx'
import { nameOf, usePeople, useShownState, useThread, wholePeople } from '../thread/thread-context.ts'

/** The message to which the one around replies, and the way there. */
export function Quoted() {
  const { replyTo } = useShownState()
  const { thread, attempt } = useThread()
  const people = usePeople(wholePeople)
  if (replyTo === null) return null
  const { role, name, author, content } = replyTo
  const who = name ?? (role === 'USER' ? nameOf(people, author.userId) : (author.name ?? 'Assistant'))
  return (
    <button type="button" className="quoted" onClick={() => attempt(thread.reveal(replyTo.id).then((id) => show(id)))}>
      <span className="hidden">In reply to </span>
      <span className="quoted-who">
        <Icon name="reply" />
        {who}
      </span>
      <span className="quoted-text">{content ?? 'A picture'}</span>
    </button>
  )
}

/** In frames. */
const longestWait = 30

/** As soon as it is painted. @param id of a shown message; null: it is not there any more */
function show(id: string | null, waited = 0): void {
  if (id === null || waited > longestWait) return
  const message = document.querySelector<HTMLElement>(`[data-message-id="${CSS.escape(id)}"]`)
  if (message === null) {
    requestAnimationFrame(() => show(id, waited + 1))
    return
  }
  message.scrollIntoView({ block: 'center' })
  message.setAttribute('tabindex', '-1')
  message.focus({ preventScroll: true })
}
