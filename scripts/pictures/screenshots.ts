import { request } from '../../client/src/index.ts'
import type { BrowserContextOptions, Page } from '../../web/node_modules/playwright-core/index.js'
import { type Place, user } from './place.ts'

const weather = 'How was the weather in Oslo this week?'
/** At the end of the answer to it. */
const warmest = 'was the warmest day'

/** What lies in the list beside the conversation on the screen, and how many hours ago it was changed. */
const others: readonly (readonly [title: string, hours: number])[] = [
  ['Plan the release of version 2', 9],
  ['Why is the sky blue?', 20],
  ['A recipe for lentil soup', 26],
  ['Names for a black cat', 30],
  ['Refactor the billing job', 44],
  ['Questions for the landlord', 50],
  ['Notes from the call with Maria', 70],
]

/** The page as docs/web.md shows it. */
export async function takeScreenshots({ proxy, browse }: Place): Promise<Record<string, Uint8Array>> {
  const at = { url: `${proxy.url}/graphql`, connectionParams: { 'x-user-id': user } }
  for (const [title, hours] of others) {
    const createdAt = new Date(Date.now() - hours * 3_600_000).toISOString()
    await request(at, createMutation, { input: { title, createdAt } })
  }
  const wide = { viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' } as const
  const open = async (options: BrowserContextOptions, place = '') => {
    const page = await (await browse(options)).newPage()
    await page.goto(`${proxy.url}/${place}`)
    await page.locator('.line[data-state=open]').waitFor({ state: 'attached' })
    await page.locator('.list-title', { hasText: others[0]?.[0] ?? '' }).waitFor({ state: 'attached' })
    return page
  }
  const light = await open({ ...wide, colorScheme: 'light' })
  const shots: Record<string, Uint8Array> = { 'web-new.png': await light.screenshot() }
  await ask(light, weather, warmest)
  const { hash } = new URL(light.url())
  shots['web-light.png'] = await light.screenshot()
  const dark = await open({ ...wide, colorScheme: 'dark' }, hash)
  await dark.getByText(warmest).waitFor()
  await ask(dark, 'What can you do?', 'Whatever runs here')
  shots['web-dark.png'] = await dark.screenshot()
  const phone = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 1.5, reducedMotion: 'reduce' } as const
  const narrow = await open({ ...phone, colorScheme: 'light' }, hash)
  await narrow.getByText('Whatever runs here').waitFor()
  shots['web-narrow.png'] = await narrow.screenshot()
  return shots
}

const createMutation = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created } }'

/** @param ends what the answer has at its end */
async function ask(page: Page, text: string, ends: string): Promise<void> {
  const message = page.locator('.composer textarea')
  await message.fill(text)
  await message.press('Enter')
  const answer = page.locator('.message.assistant', { hasText: ends })
  await answer.getByRole('button', { name: 'Another answer' }).waitFor()
  // The list has heard of it as well.
  await page.locator('.list-title', { hasText: weather }).waitFor({ state: 'attached' })
}
