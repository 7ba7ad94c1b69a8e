import { ThreadPrimitive, unstable_useThreadMessageIds, useAuiState } from '@assistant-ui/react'
import type { ThreadSnapshot } from '@colloquy/client/assistant-ui'
import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react'
import { Icon } from '../app/icons.tsx'
import { AssistantMessage } from '../message/assistant-message.tsx'
import { UserMessage } from '../message/user-message.tsx'
import { Composer } from './composer.tsx'
import { useThread } from './thread-context.ts'

interface ThreadViewProps {
  readonly status: ThreadSnapshot['status']
  readonly isEmpty: boolean
}

export function ThreadView({ status, isEmpty }: ThreadViewProps) {
  const [viewport, setViewport] = useState<HTMLDivElement | null>(null)
  return (
    <ThreadPrimitive.Root className="thread" data-empty={isEmpty && status !== 'loading'}>
      <ThreadPrimitive.Viewport className="viewport" ref={setViewport} tabIndex={0} role="region" aria-label="Messages">
        {viewport && <Earlier viewport={viewport} />}
        {isEmpty && <Welcome status={status} />}
        <div className="messages" role="log" aria-label="Conversation" aria-live="polite" aria-relevant="additions">
          <Messages />
        </div>
        {status === 'deleted' && <p className="notice">This conversation was deleted.</p>}
        <ThreadPrimitive.ScrollToBottom className="to-bottom" aria-label="Go to the newest message">
          <Icon name="down" />
        </ThreadPrimitive.ScrollToBottom>
      </ThreadPrimitive.Viewport>
      {status !== 'deleted' && <Composer />}
    </ThreadPrimitive.Root>
  )
}

/** By their ids: by their places, all of them would be made anew when earlier ones come. */
function Messages() {
  return unstable_useThreadMessageIds().map((id) => (
    <ThreadPrimitive.Unstable_MessageById key={id} messageId={id} components={components} />
  ))
}

const components = { UserMessage, AssistantMessage, SystemMessage: AssistantMessage }

/** Reads the page before, when the beginning of what is there comes near, and holds the place on the screen. */
function Earlier({ viewport }: { readonly viewport: HTMLDivElement }) {
  const { thread } = useThread()
  const { hasEarlier, onLoadEarlier } = useSyncExternalStore(thread.subscribe, thread.snapshot).store
  const first = useAuiState(({ thread: { messages } }) => messages[0]?.id ?? null)
  const ref = useRef<HTMLDivElement>(null)
  const load = useRef(onLoadEarlier)
  load.current = onLoadEarlier
  const held = useRef<{ readonly message: HTMLElement; readonly top: number } | null>(null)
  useEffect(() => {
    if (!hasEarlier || first === null || ref.current === null) return
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return
        observer.disconnect()
        const message = viewport.querySelector<HTMLElement>('.message')
        if (message !== null) held.current = { message, top: message.offsetTop }
        // Some browsers hold the place themselves, except at the very top.
        viewport.style.overflowAnchor = 'none'
        load.current().catch((error) => console.error(error))
      },
      { root: viewport, rootMargin: '800px 0px 0px 0px' },
    )
    observer.observe(ref.current)
    return () => observer.disconnect()
  }, [viewport, hasEarlier, first])
  useLayoutEffect(() => {
    if (held.current === null) return
    const { message, top } = held.current
    held.current = null
    viewport.scrollTop += message.offsetTop - top
    requestAnimationFrame(() => {
      viewport.style.overflowAnchor = ''
    })
  }, [viewport, first])
  return (
    <div ref={ref} className="earlier">
      {hasEarlier ? 'Reading earlier messages …' : ''}
    </div>
  )
}

function Welcome({ status }: { readonly status: ThreadSnapshot['status'] }) {
  const { assistant } = useThread()
  if (status !== 'missing' && status !== 'ready') return null
  return (
    <div className="welcome">
      <h2>What shall we talk about?</h2>
      <p>{hints[assistant ?? 'none']}</p>
      {assistant === 'scripted' && (
        <div className="suggestions">
          {suggestions.map((prompt) => (
            <ThreadPrimitive.Suggestion key={prompt} prompt={prompt} send className="suggestion">
              {prompt}
            </ThreadPrimitive.Suggestion>
          ))}
        </div>
      )}
    </div>
  )
}

const hints = {
  scripted: 'A scripted assistant answers here, without a key: it thinks, calls a tool, and streams.',
  model: 'A model answers here, of the provider that the server is told.',
  none: 'Nobody answers by itself here: your agent does, when it listens.',
}

const suggestions = [
  'What can you do?',
  'How was the weather in Oslo this week?',
  'Refund my order 4',
  'Draw me a chart',
]
