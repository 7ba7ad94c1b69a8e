import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { request, streamMessage } from '../../client/src/index.ts'
import type { Frame, Page } from '../../web/node_modules/playwright-core/index.js'
import { encodeGif, type Shot } from './gif.ts'
import { type Place, user } from './place.ts'

const size = { width: 1040, height: 580 }
const conversationId = 'killed'
const question = 'What if your server dies while you answer?'
const answer =
  'Then the other server goes on. Every word that you read here was stored in PostgreSQL before you saw it, under a number of its own. ' +
  'A window that loses its server in the middle of a sentence asks the next one for what comes after its number, so nothing is missing and nothing comes twice. ' +
  'I am a client as well: what the dead server had not confirmed, I sent again, and it was stored once. **You have just seen it.**'
/** Both windows show this when their server is killed. */
const lastWords = 'that loses its server in'
/** In milliseconds. */
const betweenWords = 75

/** Two windows and an agent on one server, which is killed in the middle of an answer; as a GIF. */
export async function makeAnimation({ servers, proxy, browse }: Place): Promise<Uint8Array> {
  const at = { url: `${proxy.url}/graphql`, connectionParams: { 'x-user-id': user } }
  await request(at, 'mutation ($id: ID!) { createConversation(input: { id: $id, title: "A killed server" }) { created } }', {
    id: conversationId,
  })
  const context = await browse({ viewport: size, colorScheme: 'light' })
  // The policy of the page lets nobody frame it.
  await context.route(
    ({ pathname }) => pathname === '/',
    async (route) => {
      const response = await route.fetch()
      const { 'content-security-policy': _, ...headers } = response.headers()
      await route.fulfill({ response, headers })
    },
  )
  const body = await readFile(new URL('stage.html', import.meta.url), 'utf8')
  await context.route('**/stage', (route) => route.fulfill({ contentType: 'text/html', body }))
  const stage = await context.newPage()
  const tell = (caption: string, ...states: string[]) =>
    stage.evaluate(`tell(${JSON.stringify(caption)}, ${JSON.stringify(states)})`)
  await stage.goto(`${proxy.url}/stage`)
  await tell('Two windows and an agent, all on server 1', 'serves', 'waits')
  const windows = ['left', 'right'].map((name) => stage.frame({ name }) as Frame)
  const [left] = windows as [Frame, Frame]
  const all = (look: (window: Frame) => Promise<unknown>) => Promise.all(windows.map(look))
  await all((window) => window.locator('.line[data-state=open]').waitFor({ state: 'attached' }))

  const recording = record(stage)
  await pause(1_000)
  const message = left.locator('.composer textarea')
  await message.pressSequentially(question, { delay: 35 })
  await message.press('Enter')
  await all((window) => window.locator('.bubble', { hasText: question }).waitFor())
  await pause(400)
  const answered = speak(at)
  await all((window) => window.getByText(lastWords).waitFor())
  servers[0].program.kill('SIGKILL')
  await tell('kill -9, in the middle of a sentence', 'killed', 'waits')
  // What stands before servers takes a moment to notice.
  await pause(1_500)
  proxy.aim(servers[1])
  await all((window) => window.locator('.line[data-state=open]').waitFor({ state: 'attached' }))
  await tell('All go on at server 2, where they were', 'killed', 'serves')
  await answered
  await all((window) => window.locator('.message.assistant', { hasText: 'You have just seen it.' }).waitFor())
  await all((window) => window.getByRole('button', { name: 'Another answer' }).waitFor())
  await tell('Nothing is lost, and nothing comes twice', 'killed', 'serves')
  await pause(500)
  const shots = await recording.end()
  await all(async (window) => {
    const shown = await window.locator('.message.assistant .markdown').innerText()
    if (shown !== answer.replaceAll('**', '')) throw new Error(`A window shows something else: ${shown}`)
  })
  const gif = await encodeGif(shots, size, async (png) => {
    const source = `data:image/png;base64,${png.toString('base64')}`
    return Buffer.from((await stage.evaluate(`readPixels("${source}")`)) as string, 'base64')
  })
  await context.close()
  return gif
}

/** The agent: it answers the question word by word, over whatever server there is. */
async function speak(at: { url: string; connectionParams: Record<string, string> }): Promise<void> {
  const stream = streamMessage({ ...at, conversationId })
  for (const word of answer.split(/(?<= )/)) {
    stream.write(word)
    await pause(betweenWords)
  }
  await stream.complete()
}

/** Takes pictures until it is ended, as fast as the browser makes them and not more than ten in a second. */
function record(page: Page): { end: () => Promise<Shot[]> } {
  const shots: Shot[] = []
  let isOver = false
  const recorded = (async () => {
    while (!isOver) {
      const at = performance.now()
      shots.push({ at, png: await page.screenshot() })
      await pause(Math.max(0, 100 - (performance.now() - at)))
    }
  })()
  return {
    end: async () => {
      isOver = true
      await recorded
      return shots
    },
  }
}
