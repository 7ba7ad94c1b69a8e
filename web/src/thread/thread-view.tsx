import { ThreadPrimitive, unstable_useThreadMessageIds, useAuiEvent } from '@assistant-ui/react'
import type { ThreadSnapshot } from '@colloquy/client/assistant-ui'
import { memo, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react'
import { Icon } from '../app/icons.tsx'
import { leaveMessage, useMessageId } from '../app/place.ts'
import { AssistantMessage } from '../message/assistant-message.tsx'
import { UserMessage } from '../message/user-message.tsx'
import { Composer } from './composer.tsx'
import { useHeldPlace } from './held-place.ts'
import { nearness, type ShownRange } from './shown-range.ts'
import { usePeople, useThread } from './thread-context.ts'

interface ThreadViewProps {
  readonly status: ThreadSnapshot['status']
  readonly isEmpty: boolean
  readonly range: ShownRange
}

export function ThreadView({ status, isEmpty, range }: ThreadViewProps) {
  const [viewport, setViewport] = useState<HTMLDivElement | null>(null)
  const [isAtEnd, setAtEnd] = useState(true)
  return (
    <ThreadPrimitive.Root className="thread" data-empty={isEmpty && status !== 'loading'}>
      <ThreadPrimitive.Viewport
        className="viewport"
        ref={setViewport}
        autoScroll={isAtEnd}
        tabIndex={0}
        role="region"
        aria-label="Messages"
      >
        {isEmpty && <Welcome status={status} />}
        {viewport && <Messages viewport={viewport} isReady={status === 'ready'} range={range} onAtEnd={setAtEnd} />}
        {status === 'deleted' && (
          <p className="notice">This conversation was deleted, or you do not take part in it any more.</p>
        )}
      </ThreadPrimitive.Viewport>
      {status !== 'deleted' && <Write />}
    </ThreadPrimitive.Root>
  )
}

/** An observer only reads. Apart from what streams: each time that it is made anew, the browser measures the text field. */
const Write = memo(() => {
  if (usePeople((people) => people?.viewerRole === 'OBSERVER'))
    return <p className="observes">You read this conversation, and do not write in it.</p>
  return <Composer />
})

interface MessagesProps {
  readonly viewport: HTMLDivElement
  readonly isReady: boolean
  readonly range: ShownRange
  /** Whether the newest message is shown, and those that come will be. */
  readonly onAtEnd: (isAtEnd: boolean) => void
}

function Messages({ viewport, isReady, range, onAtEnd }: MessagesProps) {
  const { thread } = useThread()
  const { later, store } = useSyncExternalStore(thread.subscribe, thread.snapshot)
  const ids = unstable_useThreadMessageIds()
  const { hasBefore, hasBehind } = range
  useFound(viewport, isReady, ids, range.showAround)
  const isAtEnd = later === null && !hasBehind
  const wantsEnd = useRef(false)
  const isThere = isAtEnd && ids.at(-1) === range.messages.at(-1)?.id
  // Whoever stands at the end of what was there before does not follow what comes behind it.
  useEffect(() => {
    if (isThere || !isAtEnd) onAtEnd(isAtEnd)
  }, [onAtEnd, isThere, isAtEnd])
  useLayoutEffect(() => {
    if (!wantsEnd.current || !isThere) return
    wantsEnd.current = false
    viewport.scrollTop = viewport.scrollHeight
  }, [viewport, isThere])
  const showNewest = () => {
    thread.showNewest()
    range.showLast()
    wantsEnd.current = !isThere
  }
  useAuiEvent('composer.send', showNewest)
  const hold = useHeldPlace(viewport, ids)
  const showBefore = () => {
    hold('first')
    range.showBefore()
  }
  const showBehind = () => {
    hold('last')
    range.showBehind()
  }
  const readEarlier = () => {
    range.pin()
    return store.onLoadEarlier()
  }
  return (
    <>
      <Edge
        viewport={viewport}
        place={`${ids[0]} ${hasBefore} ${store.hasEarlier}`}
        onNear={hasBefore ? showBefore : store.hasEarlier ? readEarlier : null}
        text="Reading earlier messages …"
      />
      <div className="messages" role="log" aria-label="Conversation" aria-live="polite" aria-relevant="additions">
        {ids.map((id) => (
          <Message key={id} id={id} />
        ))}
      </div>
      <Edge
        viewport={viewport}
        place={`${ids.at(-1)} ${hasBehind} ${later !== null}`}
        onNear={hasBehind ? showBehind : later}
        text="Reading later messages …"
      />
      <ThreadPrimitive.ScrollToBottom className="to-bottom" aria-label="Go to the newest message" onClick={showNewest}>
        <Icon name="down" />
      </ThreadPrimitive.ScrollToBottom>
    </>
  )
}

/** By its id: by their places, all of them would be made anew when earlier ones come. */
const Message = memo(({ id }: { readonly id: string }) => (
  <ThreadPrimitive.Unstable_MessageById messageId={id} components={components} />
))

const components = { UserMessage, AssistantMessage, SystemMessage: AssistantMessage }

interface EdgeProps {
  readonly viewport: HTMLElement
  /** Changes when there may be something to do again. */
  readonly place: string
  /** null: there is nothing beyond. */
  readonly onNear: (() => void | Promise<void>) | null
  readonly text: string
}

/** Brings more when this end of what is shown comes near. */
function Edge({ viewport, place, onNear, text }: EdgeProps) {
  const ref = useRef<HTMLDivElement>(null)
  const near = useRef(onNear)
  near.current = onNear
  const isOpen = onNear !== null
  useEffect(() => {
    if (!isOpen || ref.current === null) return
    const observer = new IntersectionObserver(
      // On a busy machine several come at once, and only the last one holds.
      (entries) => {
        if (!entries.at(-1)?.isIntersecting) return
        observer.disconnect()
        Promise.resolve(near.current?.()).catch((error) => console.error(error))
      },
      { root: viewport, rootMargin: `${nearness}px 0px` },
    )
    observer.observe(ref.current)
    return () => observer.disconnect()
  }, [viewport, isOpen, place])
  return (
    <div ref={ref} className="beyond">
      {isOpen ? text : ''}
    </div>
  )
}

/** Brings the message that the address names into sight, and marks it. */
function useFound(
  viewport: HTMLElement,
  isReady: boolean,
  ids: readonly string[],
  showAround: ShownRange['showAround'],
): void {
  const { thread } = useThread()
  const messageId = useMessageId()
  const [found, setFound] = useState<string | null>(null)
  const marked = useRef<HTMLElement | null>(null)
  const show = useRef(showAround)
  show.current = showAround
  useEffect(() => {
    if (messageId === null || !isReady) return
    let isOver = false
    thread
      .reveal(messageId)
      .then((id) => {
        if (isOver) return
        if (id !== null) show.current(id)
        setFound(id)
        leaveMessage()
      })
      .catch((error) => console.error(error))
    return () => {
      isOver = true
    }
  }, [thread, messageId, isReady])
  useLayoutEffect(() => {
    if (found === null || !ids.includes(found)) return
    marked.current?.removeAttribute('data-found')
    const message = viewport.querySelector<HTMLElement>(`[data-message-id="${CSS.escape(found)}"]`)
    marked.current = message
    message?.setAttribute('data-found', '')
    message?.setAttribute('tabindex', '-1')
    message?.scrollIntoView({ block: 'center' })
    message?.focus({ preventScroll: true })
    setFound(null)
  }, [viewport, found, ids])
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
