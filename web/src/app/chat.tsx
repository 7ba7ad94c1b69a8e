import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { Sidebar } from '../list/sidebar.tsx'
import { WaitingNotice } from '../queue/waiting-notice.tsx'
import { sendUnsent } from '../thread/send-unsent.ts'
import { ThreadPage } from '../thread/thread-page.tsx'
import { goTo, useConversationId } from './place.ts'
import type { Session } from './session.ts'

interface ChatProps {
  readonly session: Session
  readonly user: string
  readonly onUser: (name: string) => void
}

/** The whole page: the conversations on one side, and one of them. */
export function Chat({ session, user, onUser }: ChatProps) {
  const named = useConversationId()
  const id = useOpenId(named)
  const [isListOpen, setListOpen] = useState(false)
  const openList = useCallback(() => setListOpen(true), [])
  const closeList = useCallback(() => setListOpen(false), [])
  useEffect(() => sendUnsent(session), [session])
  return (
    <div className="chat" data-list={isListOpen ? 'open' : 'closed'}>
      <button type="button" className="skip" onClick={focusComposer}>
        Go to the message
      </button>
      <Sidebar session={session} user={user} onUser={onUser} current={named} onAsked={openList} onChosen={closeList} />
      {isListOpen && <button type="button" className="shade" aria-label="Close the list" onClick={closeList} />}
      <main className="main">
        <LineNotice session={session} />
        {named !== null && <WaitingNotice id={named} />}
        <ThreadPage
          key={id}
          session={session}
          id={id}
          isNew={named === null}
          onOpenList={openList}
          onFirst={() => goTo(id, true)}
        />
      </main>
    </div>
  )
}

/** A new conversation has its id before its address: what is on the screen stays when the address comes. */
function useOpenId(named: string | null): string {
  const fresh = useRef<string | null>(null)
  if (named !== null && named !== fresh.current) fresh.current = null
  if (named === null && (fresh.current === null || hasAddress.has(fresh.current))) fresh.current = crypto.randomUUID()
  if (named !== null) hasAddress.add(named)
  return named ?? (fresh.current as string)
}

const hasAddress = new Set<string>()

function focusComposer(): void {
  document.querySelector<HTMLElement>('.composer textarea')?.focus()
}

function LineNotice({ session: { line } }: { readonly session: Session }) {
  const state = useSyncExternalStore(line.subscribe, line.state)
  return (
    <p className="line" role="status" data-state={state}>
      {state === 'closed' ? 'No connection. What you write is sent when it is back.' : ''}
    </p>
  )
}
