import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from '../../web/node_modules/playwright-core/index.js'
import { useBed } from '../support/bed.ts'
import { expectAccessible, TestBrowser } from '../support/browser.ts'
import { isLong } from '../support/long.ts'
import { until } from '../support/until.ts'

const bed = useBed({ SEARCH_FILL: 'on' })
let browser: TestBrowser

beforeAll(async () => {
  browser = await TestBrowser.start()
})

afterEach(async () => {
  await browser.closePages()
  expect(browser.faults.splice(0)).toEqual([])
})

afterAll(() => browser?.[Symbol.asyncDispose]())

const as = (user: string) => bed.server.as({ 'x-user-id': user })
const place = (id: string) => `${bed.server.url}/#/c/${id}`
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const listed = (page: Page, name: string) => page.locator('.list .list-item', { hasText: name })
const messages = (page: Page) => page.locator('.message')

async function create(user: string, id: string, title: string): Promise<void> {
  const input = { id, title }
  await as(user).get('mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created } }', {
    input,
  })
}

/** Messages of a user with these texts, a hundred at once. */
async function write(user: string, conversationId: string, texts: readonly string[], more: object = {}): Promise<void> {
  const append = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'
  for (let from = 0; from < texts.length; from += 100) {
    const messages = texts.slice(from, from + 100).map((content) => ({ role: 'USER', content, ...more }))
    await as(user).get(append, { input: { conversationId, messages } })
  }
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `Note ${index + 1}.`)

const addGrace = (conversationId: string) =>
  as('ada').get(
    'mutation ($id: ID!) { addParticipant(input: { conversationId: $id, userId: "grace" }) { __typename } }',
    {
      id: conversationId,
    },
  )

test('what is unread is counted in the list and in the title, until it is read, here or elsewhere', async () => {
  await create('ada', 'boats', 'Boats')
  await create('ada', 'cars', 'Cars')
  for (const id of ['boats', 'cars']) await addGrace(id)
  const page = await browser.open(bed.server.url, 'grace')
  await listed(page, 'Of ada:').nth(1).waitFor()
  expect(await page.locator('.badge').count()).toBe(0)
  await write('ada', 'boats', ['One', 'Two'])
  await listed(page, 'Boats').getByText('2 unread').waitFor()
  await write('ada', 'boats', ['Look, grace'], { mentions: ['grace'] })
  await listed(page, 'Boats').getByText('@ 3').waitFor()
  await write('ada', 'cars', numbered(99))
  await listed(page, 'Cars').getByText('99', { exact: true }).waitFor()
  await write('ada', 'cars', ['Note 100.'])
  await listed(page, 'Cars').getByText('100+', { exact: true }).waitFor()
  expect(await page.title()).toBe('(2) Colloquy')
  await expectAccessible(page)

  const { conversations } = await as('grace').get('{ conversations(filter: { title: "boats" }) { nodes { id } } }')
  const mark = 'mutation ($id: ID!) { markRead(input: { conversationId: $id, seq: 1000 }) { __typename } }'
  await as('grace').get(mark, { id: conversations.nodes[0].id })
  await listed(page, 'Boats').locator('.badge').waitFor({ state: 'detached' })
  expect(await page.title()).toBe('(1) Colloquy')
})

test('what was read while a window was away is no longer counted when it is back', async () => {
  await create('ada', 'ships', 'Ships')
  await addGrace('ships')
  const page = await browser.open(bed.server.url, 'grace')
  await write('ada', 'ships', ['One'])
  await listed(page, 'Ships').locator('.badge').waitFor()
  await page.context().setOffline(true)
  await page.getByText('No connection.').waitFor()
  const { conversations } = await as('grace').get('{ conversations(filter: { title: "ships" }) { nodes { id } } }')
  await as('grace').get('mutation ($id: ID!) { markRead(input: { conversationId: $id, seq: 9 }) { __typename } }', {
    id: conversations.nodes[0].id,
  })
  await page.context().setOffline(false)
  await listed(page, 'Ships').locator('.badge').waitFor({ state: 'detached' })
})

test('titles and messages are found, and a message is opened where it stands', async () => {
  await create('sue', 'garden', 'The garden')
  const texts = numbered(300)
  await write('sue', 'garden', texts.slice(0, 40))
  await write('sue', 'garden', ['The *old* **magnolia** blooms in `April`.'], { role: 'ASSISTANT' })
  await write('sue', 'garden', texts.slice(41))
  await create('sue', 'other', 'Magnolias elsewhere')
  const search = '{ searchMessages(query: "magnolia") { nodes { id } } }'
  await until(async () => (await as('sue').get(search)).searchMessages.nodes.length > 0)
  const page = await browser.open(place('other'), 'sue')
  await page.locator('.composer textarea').blur()
  await page.keyboard.press('/')
  await page.keyboard.type('magnolia')
  const results = page.locator('.results')
  await results.locator('mark', { hasText: 'magnolia' }).waitFor()
  await results.locator('.list-title', { hasText: 'Magnolias elsewhere' }).waitFor()
  expect(await results.locator('.found-text').allTextContents()).toEqual(['The old magnolia blooms in April.'])
  const neighbours = results.locator('.found-message').first().locator('.found-neighbour')
  expect(await neighbours.allTextContents()).toEqual(['Note 40.', 'Note 42.'])
  await expectAccessible(page)

  await results.locator('.list-item').waitFor()
  for (let n = 0; n < 2; n++) await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  const found = page.locator('.message[data-found]')
  await found.getByText('The old magnolia blooms').waitFor()
  expect(await found.evaluate((message) => message.ownerDocument.activeElement === message)).toBe(true)
  const box = await found.boundingBox()
  expect(box?.y).toBeGreaterThan(0)
  expect(box?.y).toBeLessThan(800)
  expect(page.url()).toMatch(/#\/c\/garden$/)
  await messages(page).getByText('Note 42.', { exact: true }).waitFor()
  await button(page, 'Go to the newest message').click()
  await page.getByText('Note 300.', { exact: true }).waitFor()

  await page.keyboard.press('Control+k')
  expect(await page.getByLabel('Search titles and messages').inputValue()).toBe('magnolia')
  await page.keyboard.press('Escape')
  await listed(page, 'The garden').waitFor()
})

test('an owner adds, changes and removes people, who see it at once and may leave', async () => {
  await create('olga', 'shared', 'Shared by Olga')
  await write('olga', 'shared', ['Before Nils.'])
  const [page, other] = await Promise.all([browser.open(place('shared'), 'olga'), browser.open(bed.server.url, 'nils')])
  await button(page, 'People').click()
  const panel = page.locator('dialog.people')
  await panel.getByText('you', { exact: true }).waitFor()
  const add = async (user: string, part: string) => {
    await panel.getByLabel('User id').fill(user)
    await panel.getByLabel('Reads', { exact: true }).selectOption(part)
    await button(page, 'Add').click()
  }
  await add('nils', 'Only new messages')
  await panel.getByText('reads from message 2 on').waitFor()
  await expectAccessible(page)
  await listed(other, 'Shared by Olga').click()
  await write('olga', 'shared', ['After Nils.'])
  await other.getByText('After Nils.').waitFor()
  expect(await other.getByText('Before Nils.').count()).toBe(0)

  await button(other, 'People').click()
  await panel.getByLabel('Role of nils').selectOption('Observer')
  await other.locator('.person', { hasText: 'nils' }).getByText('Observer').waitFor()
  await button(other, 'Leave this conversation').click()
  await other.getByText('No conversations yet.').waitFor()
  await panel.getByText('nils').waitFor({ state: 'detached' })

  await add('nils', 'All messages')
  await listed(other, 'Shared by Olga').click()
  await other.getByText('Before Nils.').waitFor()
  await button(page, 'Remove nils').click()
  await other.getByText('you do not take part in it any more').waitFor()
  await add('', 'All messages')
  expect(await panel.locator('input:invalid').count()).toBe(1)
})

describe.skipIf(!isLong)('of a long conversation', () => {
  test('a part is in the page, what one reads stays where it is, and an answer is stopped from anywhere', async () => {
    await create('lia', 'long', 'Long')
    await write('lia', 'long', numbered(400))
    const page = await browser.open(place('long'), 'lia')
    await page.getByText('Note 400.', { exact: true }).waitFor()
    const first = () => messages(page).first().textContent()
    const last = () => messages(page).last().textContent()
    await scroll(page, 'first', async () => (await first())?.includes('Note 1.') === true)
    expect(await messages(page).count()).toBeLessThanOrEqual(120)
    expect(await last()).not.toContain('Note 400.')
    const start = 'mutation { startMessage(input: { conversationId: "long", role: ASSISTANT }) { message { id } } }'
    const { id } = (await as('lia').get(start)).startMessage.message
    await button(page, 'Stop').click()
    const asked = 'query ($id: ID!) { node(id: $id) { ... on Message { stopRequestedAt } } }'
    await until(async () => (await as('lia').get(asked, { id })).node.stopRequestedAt !== null)
    await scroll(page, 'last', async () => (await page.getByText('Note 400.', { exact: true }).count()) > 0)
    expect(await messages(page).count()).toBeLessThanOrEqual(120)
  })
})

/** Scrolls to one end again and again until something holds. Each time, the message that stands there stays where it is. */
async function scroll(page: Page, end: 'first' | 'last', isThere: () => Promise<boolean>): Promise<void> {
  while (!(await isThere())) expect(Math.abs(await page.evaluate<number>(scrollOnce(end)))).toBeLessThan(3)
}

/** A script of the page. @returns by how many pixels the message at the end has moved once others stand beyond it */
const scrollOnce = (end: 'first' | 'last') => `new Promise((resolve) => {
  const viewport = document.querySelector('.viewport')
  const atEnd = () => [...viewport.querySelectorAll('.message')].at(${end === 'first' ? 0 : -1})
  viewport.scrollTop = ${end === 'first' ? 0 : 'viewport.scrollHeight'}
  const message = atEnd()
  // The last ones may have come by themselves.
  if ([...viewport.querySelectorAll('.beyond')].at(${end === 'first' ? 0 : -1}).textContent === '') return resolve(0)
  const { top } = message.getBoundingClientRect()
  const observer = new MutationObserver(() => {
    if (atEnd() === message) return
    observer.disconnect()
    resolve(message.getBoundingClientRect().top - top)
  })
  observer.observe(viewport, { childList: true, subtree: true })
})`
