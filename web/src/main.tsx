import { lazy, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { readSettings } from './app/settings.ts'
import { applyTheme } from './app/theme.ts'
import './style/base.css'
import './style/app.css'
import './style/list.css'
import './style/thread.css'
import './style/markdown.css'

const Console = lazy(async () => ({ default: (await import('./console/console.tsx')).Console }))
/** The server answers the same document there. */
const isConsole = location.pathname.endsWith('/console')

applyTheme()
const root = createRoot(document.getElementById('root') as HTMLElement)
readSettings().then(
  (settings) => root.render(<Suspense>{isConsole ? <Console settings={settings} /> : <App settings={settings} />}</Suspense>),
  (error: Error) => root.render(<p className="notice">The page could not begin: {error.message}</p>),
)
