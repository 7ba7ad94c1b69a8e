import { useSyncExternalStore } from 'react'

/** The conversation that the address names, behind `#/c/`; null: a new one. */
export function useConversationId(): string | null {
  return useSyncExternalStore(subscribe, readConversation)
}

/** The message that the address names behind its conversation and `/m/`; null: none. */
export function useMessageId(): string | null {
  return useSyncExternalStore(subscribe, readMessage)
}

/** @param isSame the conversation that is open got its address: it is no step that one goes back from */
export function goTo(conversationId: string | null, isSame = false): void {
  const hash = conversationId === null ? '#/' : `#/c/${encodeURIComponent(conversationId)}`
  if (isSame) replace(hash)
  else location.hash = hash
}

export function goToMessage(conversationId: string, messageId: string): void {
  location.hash = `#/c/${encodeURIComponent(conversationId)}/m/${encodeURIComponent(messageId)}`
}

/** The message was found: whoever chooses it again shall find it again. */
export function leaveMessage(): void {
  replace(location.hash.replace(/\/m\/.*$/, ''))
}

function replace(hash: string): void {
  history.replaceState(null, '', hash)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

const readConversation = () => read(/^#\/c\/([^/]+)/)
const readMessage = () => read(/^#\/c\/[^/]+\/m\/(.+)$/)

function read(pattern: RegExp): string | null {
  const name = pattern.exec(location.hash)?.[1]
  try {
    return name === undefined ? null : decodeURIComponent(name)
  } catch {
    return null
  }
}
