import { ApolloProvider } from '@apollo/client/react'
import { useEffect, useMemo, useReducer, useSyncExternalStore } from 'react'
import type { AppProps } from '../app/app.tsx'
import { Icon } from '../app/icons.tsx'
import { openSession, type Session } from '../app/session.ts'
import { readUser } from '../app/user.ts'
import { FiguresDocument } from '../gql/graphql.ts'
import { ThemeSwitch } from '../list/theme-switch.tsx'
import '../style/console.css'
import { ConversationSearch } from './conversation-search.tsx'
import { ConversationView } from './conversation-view.tsx'
import { type Answered, type History, lookEveryMs, withLook } from './figures.ts'
import { Now } from './now.tsx'
import { addressOf, usePlace } from './place.ts'
import { usePolled } from './polled.ts'
import { SettingsTable } from './settings-table.tsx'
import { StreamsTable } from './streams-table.tsx'
import { When } from './words.tsx'

/** For whoever runs the server: what it does, and what is in it, without a word of what was said. */
export function Console({ settings, signedIn }: AppProps) {
  const session = useMemo(() => openSession(settings, signedIn, readUser()), [settings, signedIn])
  useEffect(() => {
    document.title = 'Console · Colloquy'
  }, [])
  return (
    <ApolloProvider client={session.apollo}>
      <Pages session={session} />
    </ApolloProvider>
  )
}

const pages = [
  ['', 'Now'],
  ['conversations', 'Conversations'],
  ['streams', 'Streams'],
  ['settings', 'Settings'],
] as const

const nothing = {}

function Pages({ session }: { readonly session: Session }) {
  const [page = '', ...rest] = usePlace()
  const { data, at, failure } = usePolled(FiguresDocument, nothing, lookEveryMs)
  const [history, look] = useReducer(
    (history: History | null, [answered, at]: readonly [Answered, number]) => withLook(history, answered, at),
    null,
  )
  const answered = data?.operator
  useEffect(() => {
    if (answered) look([answered, at])
  }, [answered, at])
  return (
    <div className="console">
      <header className="console-head">
        <h1 className="brand">Console</h1>
        <nav className="tabs" aria-label="Parts of the console">
          {pages.map(([name, title]) => (
            <a key={name} href={addressOf(name)} aria-current={isIn(page, name) ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <a className="tool" href="./" aria-label="To the conversations" title="To the conversations">
          <Icon name="left" />
        </a>
        <ThemeSwitch />
      </header>
      <LineNotice session={session} />
      <main className="console-main">
        {answered && <ServerLine answered={answered} />}
        {failure && (
          <p className="console-failure" role="alert">
            {failure}
          </p>
        )}
        {page === '' && <Now history={history} />}
        {page === 'conversations' && <ConversationSearch key={rest[0]} userId={rest[0] ?? ''} />}
        {page === 'conversation' && <ConversationView key={rest.join('/')} id={rest[0] ?? ''} userId={rest[1] ?? ''} />}
        {page === 'streams' && <StreamsTable />}
        {page === 'settings' && <SettingsTable />}
      </main>
    </div>
  )
}

const isIn = (page: string, name: string) => page === name || (page === 'conversation' && name === 'conversations')

function ServerLine({ answered: { server, version, startedAt } }: { readonly answered: Answered }) {
  return (
    <p className="console-server">
      Server <b>{server}</b>, version {version}, since <When at={startedAt} />
    </p>
  )
}

function LineNotice({ session: { line } }: { readonly session: Session }) {
  const state = useSyncExternalStore(line.subscribe, line.state)
  return (
    <p className="line" role="status">
      {state === 'closed' ? 'No connection. What you see is of before.' : ''}
    </p>
  )
}
