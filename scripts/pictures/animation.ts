import { readFile } from 'node:fs/promises'
import { request, streamMessage } from '../../client/src/index.ts'
import type { BrowserContext, Frame, Page } from '../../web/node_modules/playwright-core/index.js'
import { encodeGif, type Shot } from './gif.ts'
import { type Place, user } from './place.ts'

const size = { width: 1040, height: 600 }
const conversationId = 'killed'
const question = 'What if your server dies while you answer?'
const answer =
  'Then the other server goes on. Every word here was stored in PostgreSQL before you saw it, under a number of its own. A window that loses ' +
  'its server in the middle of a sentence asks the next one for what comes after its number: nothing is missing, and nothing comes twice. ' +
  '**You have just seen it.**'
/** The server is killed after this word, and so many words later whatever stands before the servers has noticed. */
const lastWord = 'middle '
const unnoticed = 16

/**
 * Two windows and an agent on one server, which is killed in the middle of an answer; as a GIF. A frame is taken for each word that comes,
 * and its time is chosen: so the animation is as smooth on a slow machine.
 */
export async function makeAnimation({ servers, proxy, browse }: Place): Promise<Uint8Array> {
  const at = { url: `${proxy.url}/graphql`, connectionParams: { 'x-user-id': user } }
  await request(at, createMutation, { input: { id: conversationId, title: 'A killed server' } })
  const stage = await openStage(proxy.url, await browse({ viewport: size, colorScheme: 'light' }))
  const windows = ['left', 'right'].map((name) => stage.frame({ name }) as Frame)
  const inBoth = (selector: string, hasText?: string) =>
    Promise.all(windows.map((window) => window.locator(selector, { hasText }).waitFor({ state: 'attached' })))
  const tell = (caption: string, ...states: string[]) =>
    stage.evaluate(`tell(${JSON.stringify(caption)}, ${JSON.stringify(states)})`)
  const frames: Shot[] = []
  const shoot = async (ms: number) => frames.push({ png: await stage.screenshot(), ms })

  await tell('Two windows and an agent, all on server 1', 'serves', 'waits')
  await inBoth('.line[data-state=open]')
  await shoot(1_200)
  const composer = (windows[0] as Frame).locator('.composer textarea')
  for (const letters of question.match(/..?/g) ?? []) {
    await composer.pressSequentially(letters)
    await shoot(90)
  }
  await composer.press('Enter')
  await inBoth('.bubble', question)
  await shoot(600)

  const agent = streamMessage({ ...at, conversationId })
  let said = ''
  /** Words since the server was killed; null: all are connected. */
  let unheard: number | null = null
  for (const word of answer.split(/(?<= )/)) {
    agent.write(word)
    said += word
    if (unheard === unnoticed) {
      proxy.aim(servers[1])
      await inBoth('.line[data-state=open]')
      await tell('All go on at server 2, where they were', 'killed', 'serves')
      unheard = null
      await inBoth('.message.assistant', plain(said).slice(-30))
      await shoot(900)
    }
    if (unheard === null) await inBoth('.message.assistant', plain(said).slice(-30))
    else unheard += 1
    await shoot(100)
    if (word !== lastWord) continue
    servers[0].program.kill('SIGKILL')
    await tell('kill -9, in the middle of a sentence', 'killed', 'waits')
    await inBoth('.line[data-state=closed]')
    await shoot(900)
    unheard = 0
  }
  await agent.complete()
  await inBoth('.message.assistant [aria-label="Another answer"]')
  await tell('Nothing is lost, and nothing comes twice', 'killed', 'serves')
  await shoot(4_000)
  for (const window of windows) {
    const shown = await window.locator('.message.assistant .markdown').textContent()
    if (shown?.trim() !== plain(answer)) throw new Error(`A window shows something else: ${shown}`)
  }
  return encodeGif(frames, size, async (png) => {
    const source = `data:image/png;base64,${png.toString('base64')}`
    return Buffer.from((await stage.evaluate(`readPixels("${source}")`)) as string, 'base64')
  })
}

const createMutation = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created } }'

/** As a window shows it: without the marks of Markdown, and without a space at the end. */
function plain(text: string): string {
  return text.replaceAll('**', '').trim()
}

/** Both windows in one document of the same origin. */
async function openStage(url: string, context: BrowserContext): Promise<Page> {
  // Chromium does not know where a document comes from that was changed on its way.
  await context.grantPermissions(['local-network-access'])
  // The policy of the page lets nobody frame it.
  await context.route(
    ({ pathname }) => pathname === '/',
    async (route) => {
      const response = await route.fetch()
      const { 'content-security-policy': _, ...headers } = response.headers()
      await route.fulfill({ response, headers })
    },
  )
  // Here the agent answers, and not the assistant of the server.
  await context.route('**/web/settings.json', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: { ...(await response.json()), assistant: null } })
  })
  const body = await readFile(new URL('stage.html', import.meta.url), 'utf8')
  await context.route('**/stage', (route) => route.fulfill({ contentType: 'text/html', body }))
  const stage = await context.newPage()
  await stage.goto(`${url}/stage`)
  return stage
}
