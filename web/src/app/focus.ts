import { useSyncExternalStore } from 'react'

export function useIsLookedAt(): boolean {
  return useSyncExternalStore(subscribe, isLookedAt)
}

/** Whether somebody looks at this window. */
export function isLookedAt(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}

function subscribe(listener: () => void): () => void {
  const over = new AbortController()
  addEventListener('focus', listener, { signal: over.signal })
  addEventListener('blur', listener, { signal: over.signal })
  document.addEventListener('visibilitychange', listener, { signal: over.signal })
  return () => over.abort()
}
