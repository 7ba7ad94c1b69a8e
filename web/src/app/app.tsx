import { ApolloProvider } from '@apollo/client/react'
import { useEffect, useMemo, useState } from 'react'
import { Chat } from './chat.tsx'
import { openSession } from './session.ts'
import type { Settings } from './settings.ts'
import { keepUser, readUser } from './user.ts'

export function App({ settings }: { readonly settings: Settings }) {
  const [user, setUser] = useState(readUser)
  const choose = (name: string) => {
    keepUser(name)
    location.hash = ''
    setUser(name)
  }
  return <Signed key={user} settings={settings} user={user} onUser={choose} />
}

interface SignedProps {
  readonly settings: Settings
  readonly user: string
  readonly onUser: (name: string) => void
}

/** All that belongs to one user; another user begins anew. */
function Signed({ settings, user, onUser }: SignedProps) {
  const session = useMemo(() => openSession(settings, user), [settings, user])
  useEffect(
    () => () => {
      session.line.close()
      session.apollo.stop()
      void session.socket.dispose()
    },
    [session],
  )
  return (
    <ApolloProvider client={session.apollo}>
      <Chat session={session} user={user} onUser={onUser} />
    </ApolloProvider>
  )
}
