import { useAuiState } from '@assistant-ui/react'
import type { ShownState, Thread } from '@colloquy/client/assistant-ui'
import { createContext, useContext } from 'react'
import type { Settings } from '../app/settings.ts'

interface OpenThread {
  readonly thread: Thread
  readonly assistant: Settings['assistant']
}

export const ThreadContext = createContext<OpenThread | null>(null)

export function useThread(): OpenThread {
  const open = useContext(ThreadContext)
  if (open === null) throw new Error('unreachable: a thread is open')
  return open
}

/** Of the message around. */
export function useShownState(): ShownState {
  return useAuiState(({ message }) => message.metadata.custom) as unknown as ShownState
}
