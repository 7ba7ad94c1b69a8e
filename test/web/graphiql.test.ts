import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from '../../web/node_modules/playwright-core/index.js'
import { useBed } from '../support/bed.ts'
import { TestBrowser } from '../support/browser.ts'

const bed = useBed()
let browser: TestBrowser

beforeAll(async () => {
  browser = await TestBrowser.start()
})

afterAll(() => browser?.[Symbol.asyncDispose]())

const run = (page: Page) => page.locator('.graphiql-execute-button')
const shows = (page: Page, text: string) => page.locator('.result-window', { hasText: text }).waitFor()

test('in GraphiQL the tabs append, read and watch as they stand', async () => {
  const page = await browser.open(`${bed.server.url}/graphiql`, 'local')
  await run(page).click()
  await shows(page, '"content": "Will it rain in Oslo today?"')

  await page.getByRole('tab', { name: 'Page' }).click()
  await run(page).click()
  await shows(page, '"lastMessage": { "role": "USER"')

  await page.getByRole('tab', { name: 'Watch' }).click()
  await run(page).click()
  await shows(page, '"received": 1')
  await bed.server.as({ 'x-user-id': 'local' }).append('demo', { role: 'ASSISTANT', content: 'It will.' })
  await shows(page, '"received": 2')
  await shows(page, '"content": "It will."')
  await run(page).click()
  await shows(page, '"state": "stopped"')
  await browser.closePages()
  expect(browser.faults).toEqual([])
})
