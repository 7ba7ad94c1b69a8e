import type { AssistantRuntime } from '@assistant-ui/react'
import { useEffect, useRef } from 'react'

type Composer = AssistantRuntime['thread']['composer']

/** Keeps in the browser what is written and not sent. @param key in `localStorage` */
export function useDraft(composer: Composer, key: string): void {
  const used = useRef(composer)
  used.current = composer
  useEffect(() => {
    const own = used.current
    const draft = localStorage.getItem(key)
    if (draft !== null && own.getState().text === '') own.setText(draft)
    return own.subscribe(() => {
      const { text } = own.getState()
      if (text === '') localStorage.removeItem(key)
      else localStorage.setItem(key, text)
    })
  }, [key])
}
