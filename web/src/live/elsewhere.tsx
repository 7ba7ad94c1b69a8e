import { useSyncExternalStore } from 'react'
import { useThread } from '../thread/thread-context.ts'

/** That messages came to another version than the one that is looked at. */
export function Elsewhere() {
  const { thread } = useThread()
  const { elsewhere } = useSyncExternalStore(thread.subscribe, thread.snapshot)
  return (
    <div className="strip" role="status">
      {elsewhere !== null && (
        <>
          <span>The conversation goes on in another version.</span>
          <button type="button" className="button small-button" onClick={elsewhere}>
            Show it
          </button>
        </>
      )}
    </div>
  )
}
