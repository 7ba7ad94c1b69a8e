import { useAuiState } from '@assistant-ui/react'
import { useShownState, useThread } from '../thread/thread-context.ts'

/** The emojis on the message around. */
export function Reactions() {
  const { reactions } = useShownState()
  const id = useAuiState(({ message }) => message.id)
  const { thread, attempt } = useThread()
  if (reactions.length === 0) return null
  return (
    <fieldset className="reactions" aria-label="Reactions">
      {reactions.map(({ emoji, count, viewerReacted }) => (
        <button
          key={emoji}
          type="button"
          className="reaction"
          aria-pressed={viewerReacted}
          title={viewerReacted ? 'Take your reaction back' : 'React too'}
          onClick={() => attempt(thread.react(id, emoji, !viewerReacted))}
        >
          <span>{emoji}</span> <span className="reaction-count">{count}</span>
        </button>
      ))}
    </fieldset>
  )
}
