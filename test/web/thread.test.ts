import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Page } from '../../web/node_modules/playwright-core/index.js'
import { useBed } from '../support/bed.ts'
import { expectAccessible, TestBrowser } from '../support/browser.ts'

const bed = useBed()
let browser: TestBrowser

beforeAll(async () => {
  browser = await TestBrowser.start()
})

afterEach(async () => {
  await browser.closePages()
  expect(browser.faults.splice(0)).toEqual([])
})

afterAll(() => browser?.[Symbol.asyncDispose]())

const place = (id: string) => `${bed.server.url}/#/c/${encodeURIComponent(id)}`
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const message = (page: Page, text: string) => page.locator('.message', { hasText: text }).last()
const shows = (page: Page, text: string) => page.getByText(text).first().waitFor()

async function say(page: Page, text: string): Promise<void> {
  await page.locator('.composer textarea').fill(text)
  await button(page, 'Send').click()
}

/** Opened by the owner and by a member. */
async function share(id: string): Promise<[ada: Page, bob: Page]> {
  const [ada, bob] = ['ada', 'bob'].map((user) => bed.server.as({ 'x-user-id': user })) as [
    ReturnType<typeof bed.server.as>,
    ReturnType<typeof bed.server.as>,
  ]
  await ada.append(id, 'Who can look at this?')
  await ada.append(id, { role: 'ASSISTANT', content: 'I cannot.' })
  await ada.get(
    `mutation ($id: ID!) {
      addParticipant(input: { conversationId: $id, userId: "bob", role: MEMBER }) { conversation { id } }
    }`,
    { id },
  )
  const { conversations } = await bob.get('{ conversations(first: 1) { nodes { id } } }')
  return Promise.all([browser.open(place(id), 'ada'), browser.open(place(conversations.nodes[0].id), 'bob')])
}

test('a call asks for approval, and goes on when it is approved, or refused with a reason', async () => {
  const page = await browser.open(bed.server.url, 'asked')
  await button(page, 'Refund my order 4').click()
  await shows(page, 'Allow “refund order”?')
  await expectAccessible(page)
  await button(page, 'Approve').click()
  await shows(page, 'You approved it.')
  await shows(page, 'is paid back: 39 €.')
  await say(page, 'Refund my order 7')
  await page.getByLabel('Reason (optional)').fill('Not this month.')
  await button(page, 'Refuse').click()
  await shows(page, 'You refused it: Not this month.')
  await shows(page, 'Then nothing is paid back.')
})

test('people reply, react, rate an answer and take over, and see who types and who has read', async () => {
  const [ada, bob] = await share('team')
  await message(ada, 'I cannot.').locator('.message-end .face').waitFor()
  await message(bob, 'Who can look').hover()
  await message(bob, 'Who can look').getByLabel('Reply').click()
  await bob.locator('.reply-text', { hasText: 'Who can look at this?' }).waitFor()
  await bob.locator('.composer textarea').pressSequentially('I c')
  await shows(ada, 'bob is typing …')
  await say(bob, 'I can.')
  await message(ada, 'I can.').locator('.quoted', { hasText: 'Who can look at this?' }).click()
  expect(await ada.locator('.message:focus').getAttribute('data-message-id')).toBe(
    await ada.locator('.message').first().getAttribute('data-message-id'),
  )
  await message(ada, 'I can.').locator('.speaker', { hasText: 'bob' }).waitFor()
  await message(bob, 'I can.').locator('.message-end', { hasText: 'Read by ada' }).waitFor({ state: 'attached' })

  await message(ada, 'I can.').hover()
  await message(ada, 'I can.').getByRole('button', { name: 'React', exact: true }).click()
  await ada.getByRole('button', { name: 'party', exact: true }).click()
  await message(bob, 'I can.').getByRole('button', { name: '🎉 1' }).click()
  await message(ada, 'I can.').getByRole('button', { name: '🎉 2', pressed: true }).waitFor()

  await message(ada, 'I cannot.').hover()
  await message(ada, 'I cannot.').getByLabel('Bad answer').click()
  await button(ada, 'It is wrong').click()
  await ada.getByLabel('In your words').fill('Somebody can.')
  await expectAccessible(ada)
  await ada.locator('.feedback').getByText('Send').click()
  await ada.locator('.feedback').waitFor({ state: 'detached' })
  await ada.reload()
  await message(ada, 'I cannot.').getByRole('button', { name: 'Bad answer', pressed: true }).waitFor()

  await button(bob, 'Take over').click()
  await shows(bob, 'You have taken this conversation over.')
  await shows(ada, 'bob has taken this conversation over.')
  await expectAccessible(ada)
  await button(ada, 'Hand back').click()
  for (const page of [ada, bob]) await button(page, 'Take over').waitFor()
})
