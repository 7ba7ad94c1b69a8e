import { ApolloProvider } from '@apollo/client/react'
import { useEffect, useMemo, useState } from 'react'
import { PictureOrigins } from '../live/faces.tsx'
import type { SignedIn } from '../sign-in/sign-in.ts'
import { Chat } from './chat.tsx'
import { openSession } from './session.ts'
import type { Settings } from './settings.ts'
import { keepUser, readUser } from './user.ts'

export interface AppProps {
  readonly settings: Settings
  /** null: the page itself signs nobody in. */
  readonly signedIn: SignedIn | null
}

export function App({ settings, signedIn }: AppProps) {
  const [user, setUser] = useState(readUser)
  const choose = (name: string) => {
    keepUser(name)
    location.hash = ''
    setUser(name)
  }
  return <Signed key={user} settings={settings} signedIn={signedIn} user={user} onUser={choose} />
}

interface SignedProps extends AppProps {
  readonly user: string
  readonly onUser: (name: string) => void
}

/** All that belongs to one user; another user begins anew. */
function Signed({ settings, signedIn, user, onUser }: SignedProps) {
  const session = useMemo(() => openSession(settings, signedIn, user), [settings, signedIn, user])
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
      <PictureOrigins value={settings.pictures}>
        <Chat session={session} user={user} onUser={onUser} />
      </PictureOrigins>
    </ApolloProvider>
  )
}
