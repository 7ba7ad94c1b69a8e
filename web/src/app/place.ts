import { useSyncExternalStore } from 'react'

/** The conversation that the address names, behind `#/c/`; null: a new one. */
export function useConversationId(): string | null {
  return useSyncExternalStore(subscribe, read)
}

/** @param isSame the conversation that is open got its address: it is no step that one goes back from */
export function goTo(conversationId: string | null, isSame = false): void {
  const hash = conversationId === null ? '#/' : `#/c/${encodeURIComponent(conversationId)}`
  if (!isSame) {
    location.hash = hash
    return
  }
  history.replaceState(null, '', hash)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

function read(): string | null {
  const name = /^#\/c\/(.+)$/.exec(location.hash)?.[1]
  try {
    return name === undefined ? null : decodeURIComponent(name)
  } catch {
    return null
  }
}
