import type { Identity } from '../../config.ts'
import { graphiqlExamples } from './graphiql-examples.ts'

/** The document. Its URLs are relative, so that it also works below a proxy's path. `assets` is where the files are, with a final slash. */
export function renderGraphiqlPage(assets: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Colloquy · GraphiQL</title>
    <link rel="icon" href="${assets}icon.svg">
    <link rel="stylesheet" href="${assets}graphiql.css">
    <link rel="stylesheet" href="${assets}page.css">
  </head>
  <body>
    <div id="root"><p class="loading">Loading GraphiQL …</p></div>
    <noscript>GraphiQL needs JavaScript.</noscript>
    <script src="${assets}graphql-ws.js"></script>
    <script src="${assets}graphiql.js"></script>
    <script src="${assets}page.js"></script>
  </body>
</html>
`
}

export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<path fill="#0f766e" d="M6 3h20a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H15l-7 6v-6H6a4 4 0 0 1-4-4V7a4 4 0 0 1 4-4z"/>
<g fill="#fff"><circle cx="10" cy="13" r="2"/><circle cx="16" cy="13" r="2"/><circle cx="22" cy="13" r="2"/></g></svg>
`

// GraphiQL 5.4 gives several first tabs a stray offset that shows while a tab has the focus: it jumps from under the pointer and the
// click is lost. Tabs can still be dragged.
export const stylesheet = `.graphiql-tab { transform: none !important; }
html, body, #root { height: 100%; margin: 0; }
.loading { padding: 2rem; font: 1rem system-ui, sans-serif; color: #6b7280; }
@media (prefers-color-scheme: dark) { html { background: #212a3b; } }
.colloquy-name { padding-left: 0.5rem; font-weight: 600; }
`

/**
 * The script that runs in the browser after graphql-ws and GraphiQL. It is text, because it uses the DOM, whose types the server does
 * not have. Queries and mutations go by POST, subscriptions by WebSocket. Both send what the Headers editor holds: a socket sends it
 * as its connectionParams, with names in lower case, because upper and lower case differ there. Each subscription has a socket of its
 * own, so that a changed header counts from the next run.
 */
export function renderGraphiqlScript(options: { graphqlPath: string; identity: Identity | undefined }): string {
  const tabs = graphiqlExamples.map(({ query, variables }) => ({
    query,
    variables: JSON.stringify(variables, null, 2),
  }))
  const { headers, missing } = firstHeaders(options.identity)
  return `'use strict'
const endpoint = new URL(${JSON.stringify(options.graphqlPath.replace(/^\//, ''))}, location.href)
const assets = new URL('.', document.currentScript.src)

self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_, label) => new URL({ graphql: 'graphql.worker.js', json: 'json.worker.js' }[label] ?? 'editor.worker.js', assets),
}

function fetcher(operation, { headers: given, documentAST } = {}) {
  const headers = namedInLowerCase(given)
  const missing = missingIn(headers)
  if (missing) return Promise.resolve({ errors: [{ message: missing }] })
  const chosen = documentAST?.definitions.find(
    ({ kind, name }) => kind === 'OperationDefinition' && (!operation.operationName || name?.value === operation.operationName),
  )
  return chosen?.operation === 'subscription' ? subscribe(operation, headers) : post(operation, headers)
}

// Header names differ in upper and lower case on a socket alone. A header without a value is as none.
function namedInLowerCase(given) {
  const pairs = Object.entries(given ?? {}).map(([name, value]) => [name.toLowerCase(), String(value ?? '').trim()])
  return Object.fromEntries(pairs.filter(([, value]) => value !== '' && value !== 'Bearer'))
}

// What the server would refuse at once. Without it GraphiQL cannot even read the schema.
function missingIn(headers) {
  const isKnown = headers['x-service-key'] ? headers['x-user-id'] : headers.authorization
  return isKnown ? null : ${JSON.stringify(missing)}
}

// fetch takes each character of a header as one byte, and the server reads the bytes as UTF-8.
function headerBytes(headers) {
  const bytes = (value) => String.fromCharCode(...new TextEncoder().encode(value))
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, bytes(value)]))
}

async function post(operation, headers) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { accept: 'application/graphql-response+json, application/json', 'content-type': 'application/json', ...headerBytes(headers) },
    body: JSON.stringify(operation),
  })
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    return { errors: [{ message: 'HTTP ' + response.status + ': ' + text.slice(0, 1000) }] }
  }
}

// GraphiQL shows one result, the last. A feed that begins in the past would flash by, so it is shown as a list: the newest
// 100, painted at most ten times a second. A reconnect goes on after the last cursor, so it needs an operation that declares $after.
function subscribe(operation, headers) {
  const variables = { ...operation.variables }
  const declaresAfter = /\\$after\\b/.test(operation.query)
  let resumable = true
  const feed = { state: 'connecting', received: 0, newestFirst: [] }
  return {
    subscribe(observer) {
      let timer
      let ended = false
      const paint = () => {
        clearTimeout(timer)
        timer = undefined
        if (!ended) observer.next({ ...feed })
      }
      const end = (state, more) => {
        Object.assign(feed, { state, ...more })
        paint()
        ended = true
        observer.complete()
      }
      const client = graphqlWs.createClient({
        url: endpoint.href.replace(/^http/, 'ws'),
        connectionParams: headers,
        shouldRetry: () => resumable,
        on: {
          connected: () => {
            feed.state = 'open'
            paint()
          },
          closed: () => {
            feed.state = 'connecting'
            paint()
          },
        },
      })
      const stop = client.subscribe(
        { ...operation, variables },
        {
          next(result) {
            feed.received++
            feed.newestFirst.unshift(result)
            feed.newestFirst.length = Math.min(feed.newestFirst.length, 100)
            resumable = declaresAfter && result.extensions?.cursor !== undefined
            if (resumable) variables.after = result.extensions.cursor
            timer ??= setTimeout(paint, 100)
          },
          error(reason) {
            if (Array.isArray(reason)) end('refused', { errors: reason })
            else end('disconnected', { reason: [reason.code, reason.reason ?? reason.message].filter(Boolean).join(' ') })
          },
          complete: () => end('complete'),
        },
      )
      const unsubscribe = () => {
        end('stopped')
        stop()
        client.dispose()
      }
      leaveTab = () => {
        ended = true
        unsubscribe()
      }
      return { unsubscribe }
    },
  }
}

// GraphiQL ends a feed when another tab is chosen, but not when one is added: it would go on in the new tab.
let tab
let leaveTab
function onTabChange({ tabs, activeTabIndex }) {
  const left = tab
  tab = tabs[activeTabIndex]?.id
  if (left && left !== tab) leaveTab?.()
}

// Another GraphiQL on the same origin has its own tabs under GraphiQL's own names. Headers may hold a token: they are kept
// only by those who ask for it in the settings.
const prefix = 'colloquy:'
const ours = () => Object.keys(localStorage).filter((name) => name.startsWith(prefix))
const storage = {
  getItem: (name) => localStorage.getItem(prefix + name) ?? (name === 'graphiql:shouldPersistHeaders' ? 'false' : null),
  setItem: (name, value) => localStorage.setItem(prefix + name, value),
  removeItem: (name) => localStorage.removeItem(prefix + name),
  clear: () => ours().forEach((name) => localStorage.removeItem(name)),
  get length() {
    return ours().length
  },
}

// GraphiQL fills its editors from the last edit, not from the open tab: a tab that was never edited would come up without its
// variables.
const defaultTabs = ${JSON.stringify(tabs)}
const { tabs, activeTabIndex } = JSON.parse(storage.getItem('graphiql:tabState')) ?? { tabs: defaultTabs, activeTabIndex: 0 }
for (const name of ['query', 'variables', 'headers']) storage.setItem('graphiql:' + name, tabs[activeTabIndex]?.[name] ?? '')

YogaGraphiQL.renderYogaGraphiQL(document.getElementById('root'), {
  fetcher,
  storage,
  defaultTabs,
  initialVariables: new URLSearchParams(location.search).has('query') ? '' : undefined,
  defaultHeaders: ${JSON.stringify(JSON.stringify(headers, null, 2))},
  defaultEditorToolsVisibility: ${JSON.stringify(missing === null ? 'variables' : 'headers')},
  onEditQuery() {},
  onTabChange,
  title: '<span class="colloquy-name">Colloquy</span>',
  logo: '<img alt="" width="28" height="28" src="' + new URL('icon.svg', assets) + '">',
})
`
}

/**
 * What the Headers editor holds at first, and the sentence that asks for what is missing there. null: nothing can be
 * missing. Nothing stands in for a secret: it would be sent, and refused.
 */
function firstHeaders(identity: Identity | undefined): { headers: Record<string, string>; missing: string | null } {
  if (identity === undefined) return { headers: { 'x-user-id': 'local' }, missing: null }
  const takesTokens = identity.jwksUrl !== undefined || identity.secret !== undefined
  const takesKeys = identity.serviceKeys.size > 0
  const ways = []
  if (takesTokens) ways.push('a bearer token, as {"authorization": "Bearer TOKEN"}')
  if (takesKeys) ways.push('a service key and the user to act for, as {"x-service-key": "KEY", "x-user-id": "USER"}')
  return {
    headers: takesTokens ? { authorization: 'Bearer ' } : { 'x-service-key': '', 'x-user-id': '' },
    missing: `Write into the Headers editor, below, ${ways.join(', or ')}. Then run this again, and fetch the schema again: the round arrow on the left.`,
  }
}
