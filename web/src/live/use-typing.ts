import type { AssistantRuntime } from '@assistant-ui/react'
import type { Thread } from '@colloquy/client/assistant-ui'
import { useEffect, useRef } from 'react'

type Composer = AssistantRuntime['thread']['composer']

/** Tells the others that the viewer types. */
export function useTyping(composer: Composer, thread: Thread): void {
  const used = useRef(composer)
  used.current = composer
  useEffect(() => {
    const own = used.current
    let before = own.getState().text
    return own.subscribe(() => {
      const { text } = own.getState()
      if (text !== before) thread.type(text !== '')
      before = text
    })
  }, [thread])
}
