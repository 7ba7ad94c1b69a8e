import type { UnsentStorage } from '@colloquy/client/assistant-ui'

/** What one user of this browser has not sent yet. */
export function unsentStorage(owner: string): UnsentStorage {
  const own = (key: string) => `${owner}/${key}`
  return {
    getItem: (key) => localStorage.getItem(own(key)),
    setItem: (key, value) => localStorage.setItem(own(key), value),
    removeItem: (key) => localStorage.removeItem(own(key)),
  }
}

/** The ids of the conversations in which there is something. */
export function unsentIn(owner: string): string[] {
  const prefix = `${owner}/colloquy:unsent:`
  return Object.keys(localStorage).flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []))
}
