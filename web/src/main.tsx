import { lazy, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { readSettings } from './app/settings.ts'
import { applyTheme } from './app/theme.ts'
import './style/base.css'
import './style/app.css'
import './style/list.css'
import './style/queue.css'
import './style/search.css'
import './style/thread.css'
import './style/message.css'
import './style/live.css'
import './style/markdown.css'

const Console = lazy(async () => ({ default: (await import('./console/console.tsx')).Console }))

applyTheme()
const root = createRoot(document.getElementById('root') as HTMLElement)
begin().catch((error: Error) => {
  root.render(<p className="notice">The page could not begin: {error.message}</p>)
})

async function begin(): Promise<void> {
  const settings = await readSettings()
  const { openId } = settings
  const signedIn = openId === null ? null : await (await import('./sign-in/sign-in.ts')).signIn(openId)
  // The server answers the same document there. Signing in leads back to where one was.
  const Shown = location.pathname.endsWith('/console') ? Console : App
  root.render(
    <Suspense>
      <Shown settings={settings} signedIn={signedIn} />
    </Suspense>,
  )
}
