import { type KeyboardEvent, lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react'
import { Icon } from '../app/icons.tsx'

const Results = lazy(() => import('./results.tsx').then((module) => ({ default: module.Results })))

/** In milliseconds; while somebody writes on, nothing is asked. */
const pauseMs = 200

interface SearchProps {
  /** Somebody asked for the field by a key; it may be out of sight. */
  readonly onAsked: () => void
  /** Something was chosen. */
  readonly onChosen: () => void
  /** What is there while nothing is looked for. */
  readonly children: ReactNode
}

/** Looks for titles and for messages. Arrows go from the field through what was found, Escape goes back. */
export function Search({ onAsked, onChosen, children }: SearchProps) {
  const [text, setText] = useState('')
  const asked = useSettled(text.trim())
  const place = useRef<HTMLElement>(null)
  const field = useRef<HTMLInputElement>(null)
  useShortcut(() => {
    onAsked()
    requestAnimationFrame(() => field.current?.focus())
  })
  const leave = () => {
    setText('')
    field.current?.focus()
  }
  const move = (event: KeyboardEvent) => {
    if (event.key === 'Escape') leave()
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    const stops = [field.current, ...(place.current?.querySelectorAll<HTMLElement>('.found') ?? [])]
    const here = stops.indexOf(document.activeElement as HTMLElement)
    stops[here + (event.key === 'ArrowDown' ? 1 : -1)]?.focus()
    event.preventDefault()
  }
  return (
    <search className="search" ref={place} onKeyDown={move}>
      <form
        className="search-field"
        onSubmit={(event) => {
          event.preventDefault()
          place.current?.querySelector<HTMLElement>('.found')?.click()
        }}
      >
        <Icon name="search" />
        <input
          ref={field}
          type="search"
          placeholder="Search"
          aria-label="Search titles and messages"
          aria-keyshortcuts="Control+K Meta+K /"
          maxLength={1000}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        {text === '' ? (
          <span className="search-key">{isMac ? '⌘K' : 'Ctrl K'}</span>
        ) : (
          <button type="button" className="tool small" aria-label="End the search" onClick={leave}>
            <Icon name="close" />
          </button>
        )}
      </form>
      {text.trim() === '' ? (
        children
      ) : (
        <Suspense fallback={<p className="list-empty">Searching …</p>}>
          <Results text={asked === '' ? text.trim() : asked} onChosen={onChosen} />
        </Suspense>
      )}
    </search>
  )
}

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** A text, once nobody has changed it for a while. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), text === '' ? 0 : pauseMs)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}

function useShortcut(use: () => void): void {
  const latest = useRef(use)
  latest.current = use
  useEffect(() => {
    const over = new AbortController()
    const listen = (event: globalThis.KeyboardEvent) => {
      const isPalette = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey
      const isSlash = event.key === '/' && !event.ctrlKey && !event.metaKey && !isWriting(event.target)
      if (!isPalette && !isSlash) return
      event.preventDefault()
      latest.current()
    }
    addEventListener('keydown', listen, over)
    return () => over.abort()
  }, [])
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'))
}
