import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedDatabase } from '../../src/database/embedded/embedded.ts'
import { TcpProxy } from '../../test/support/network/tcp-proxy.ts'
import { ServerProcess } from '../../test/support/program/server-process.ts'
import type { Browser, BrowserContext, BrowserContextOptions } from '../../web/node_modules/playwright-core/index.js'

/** What the pictures are made with is installed beside the page. */
export const requireOfPage = createRequire(new URL('../../web/package.json', import.meta.url))

/** Who uses the pages. */
export const user = 'ada'

/** Two servers on one PostgreSQL, a proxy before the first of them, and a browser. */
export interface Place extends AsyncDisposable {
  readonly servers: readonly [ServerProcess, ServerProcess]
  readonly proxy: TcpProxy
  /** A browser of its own, in which pages are those of `user`. */
  readonly browse: (options: BrowserContextOptions) => Promise<BrowserContext>
}

export async function openPlace(): Promise<Place> {
  await using stack = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'colloquy-pictures-'))
  stack.defer(() => rm(directory, { recursive: true, force: true }))
  const database = stack.use(await startEmbeddedDatabase({ directory }))
  const first = stack.use(await ServerProcess.start(database.url))
  const second = stack.use(await ServerProcess.start(database.url))
  const proxy = stack.use(await TcpProxy.before(first))
  const browser = await launch()
  stack.defer(() => browser.close())
  const opened = stack.move()
  return {
    servers: [first, second],
    proxy,
    browse: async (options) => {
      const context = await browser.newContext(options)
      await context.addInitScript((name) => localStorage.setItem('colloquy:user', name), user)
      return context
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Chromium of the machine. */
function launch(): Promise<Browser> {
  const { chromium } = requireOfPage(
    'playwright-core',
  ) as typeof import('../../web/node_modules/playwright-core/index.js')
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
}
