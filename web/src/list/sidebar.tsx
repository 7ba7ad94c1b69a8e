import { useEffect, useRef, useState } from 'react'
import { Icon } from '../app/icons.tsx'
import { goTo } from '../app/place.ts'
import type { Session } from '../app/session.ts'
import { Queue } from '../queue/queue.tsx'
import { Search } from '../search/search.tsx'
import { SignedInUser } from '../sign-in/signed-in-user.tsx'
import { useConversations, useListChanges } from './conversations.ts'
import { ThemeSwitch } from './theme-switch.tsx'
import { sayCount, type Unread, useUnread, useUnreadTitle } from './unread.ts'
import { UserSwitch } from './user-switch.tsx'
import { sayWhen } from './when.ts'

interface SidebarProps {
  readonly session: Session
  readonly user: string
  readonly onUser: (name: string) => void
  readonly current: string | null
  /** It is to be in sight. */
  readonly onAsked: () => void
  readonly onChosen: () => void
}

export function Sidebar({ session, user, onUser, current, onAsked, onChosen }: SidebarProps) {
  const [isArchive, setArchive] = useState(false)
  useListChanges()
  useUnreadTitle(useConversations(false).conversations, current)
  const open = (id: string | null) => {
    goTo(id)
    onChosen()
  }
  return (
    <nav className="sidebar" aria-label="Conversations">
      <header className="sidebar-head">
        <span className="brand">Colloquy</span>
        <button type="button" className="tool only-narrow" aria-label="Close the list" onClick={onChosen}>
          <Icon name="close" />
        </button>
      </header>
      <button type="button" className="new" aria-current={current === null} onClick={() => open(null)}>
        <Icon name="plus" />
        New conversation
      </button>
      <Queue current={current} onOpen={open} />
      <Search onAsked={onAsked} onChosen={onChosen}>
        <div className="tabs">
          <button type="button" aria-pressed={!isArchive} onClick={() => setArchive(false)}>
            Active
          </button>
          <button type="button" aria-pressed={isArchive} onClick={() => setArchive(true)}>
            Archived
          </button>
        </div>
        <List key={String(isArchive)} isArchive={isArchive} current={current} onOpen={open} />
      </Search>
      <footer className="sidebar-foot">
        {session.settings.isOpen ? (
          <UserSwitch user={user} onUser={onUser} />
        ) : (
          <SignedInUser signedIn={session.signedIn} />
        )}
        <ThemeSwitch />
      </footer>
    </nav>
  )
}

interface ListProps {
  readonly isArchive: boolean
  readonly current: string | null
  readonly onOpen: (id: string) => void
}

function List({ isArchive, current, onOpen }: ListProps) {
  const { conversations, isLoading, loadMore } = useConversations(isArchive)
  const unread = useUnread(conversations, current)
  if (conversations.length === 0) {
    const empty = isArchive ? 'Nothing is archived.' : 'No conversations yet.'
    return <p className="list-empty">{isLoading ? '' : empty}</p>
  }
  return (
    <ul className="list">
      {conversations.map(({ id, title, updatedAt, userId, ownerName, viewerRole }) => (
        <li key={id}>
          <button type="button" className="list-item" aria-current={id === current} onClick={() => onOpen(id)}>
            {viewerRole !== 'OWNER' && <Shared by={ownerName ?? userId} />}
            <span className="list-title">{title ?? 'Untitled'}</span>
            <Badge unread={unread.get(id)} />
            <time dateTime={updatedAt}>{sayWhen(updatedAt)}</time>
          </button>
        </li>
      ))}
      {loadMore && <More key={conversations.length} onSeen={loadMore} />}
    </ul>
  )
}

function Shared({ by }: { readonly by: string }) {
  return (
    <span className="list-shared" title={`A conversation of ${by}`}>
      <Icon name="people" />
      <span className="hidden">Of {by}:</span>
    </span>
  )
}

function Badge({ unread }: { readonly unread: Unread | undefined }) {
  if (unread === undefined) return null
  const { messages, mentions } = unread
  const count = sayCount(messages)
  return (
    <span className="badge">
      <span aria-hidden="true">{mentions > 0 ? `@ ${count}` : count}</span>
      <span className="hidden">
        {`${count} unread${mentions > 0 ? `, ${sayCount(mentions)} of them mention you` : ''}`}
      </span>
    </span>
  )
}

/** Reads the next page when the end of the list comes near. */
function More({ onSeen }: { readonly onSeen: () => void }) {
  const ref = useRef<HTMLLIElement>(null)
  const seen = useRef(onSeen)
  seen.current = onSeen
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => entries.at(-1)?.isIntersecting && seen.current(), {
      rootMargin: '400px',
    })
    if (ref.current) observer.observe(ref.current)
    return () => observer.disconnect()
  }, [])
  return <li ref={ref} className="list-more" aria-hidden="true" />
}
