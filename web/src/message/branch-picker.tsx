import { Icon } from '../app/icons.tsx'
import { useShownState, useThread } from '../thread/thread-context.ts'

/** The versions of a message. Which one is looked at is a matter of this screen. */
export function BranchPicker() {
  const { siblings } = useShownState()
  const { thread } = useThread()
  if (siblings === null) return null
  const { index, count, ids } = siblings
  // Of very many versions only those around this one are named.
  const here = ids.length === count ? index : Math.floor(ids.length / 2)
  const look = (id: string | undefined) => () => {
    if (id !== undefined) thread.look(id).catch((error) => console.error(error))
  }
  const [before, after] = [ids[here - 1], ids[here + 1]]
  return (
    <fieldset className="versions" aria-label="Versions">
      <button
        type="button"
        className="tool small"
        aria-label="Version before"
        disabled={!before}
        onClick={look(before)}
      >
        <Icon name="left" />
      </button>
      <span>
        {index + 1}/{count}
      </span>
      <button type="button" className="tool small" aria-label="Next version" disabled={!after} onClick={look(after)}>
        <Icon name="right" />
      </button>
    </fieldset>
  )
}
