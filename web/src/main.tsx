import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { readSettings } from './app/settings.ts'
import { applyTheme } from './app/theme.ts'
import './style/base.css'
import './style/app.css'
import './style/list.css'
import './style/thread.css'
import './style/message.css'
import './style/live.css'
import './style/markdown.css'

applyTheme()
const root = createRoot(document.getElementById('root') as HTMLElement)
readSettings().then(
  (settings) => root.render(<App settings={settings} />),
  (error: Error) => root.render(<p className="notice">The page could not begin: {error.message}</p>),
)
