import { readFile } from 'node:fs/promises'
import { type JWTPayload, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { streamMessage } from '../../client/src/index.ts'
import type { Page } from '../../web/node_modules/playwright-core/index.js'
import { useBed } from '../support/bed.ts'
import { expectAccessible, TestBrowser } from '../support/browser.ts'
import { bundleChat } from '../support/documents/shown-react.ts'
import { isLong } from '../support/long.ts'
import { startOpenIdProvider } from '../support/network/openid-provider.ts'
import { startPrefixProxy } from '../support/network/prefix-proxy.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'
import { serve } from '../support/server.ts'

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

const users = ['user', 'assistant'] as const
const at = (url: string, user: string) => ({ url: `${url}/graphql`, connectionParams: { 'x-user-id': user } })
const place = (id: string, url = bed.server.url) => `${url}/#/c/${id}`
const messages = (page: Page) => page.locator('.message')
const answers = (page: Page) => page.locator('.message.assistant')
const bubbles = (page: Page) => page.locator('.message.user .bubble .plain')
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const listed = (page: Page, name: string) => page.locator('.list-title', { hasText: name })

async function say(page: Page, text: string): Promise<void> {
  await page.locator('.composer textarea').fill(text)
  await button(page, 'Send').click()
}

/** Waits for what the page shows. */
const shows = (page: Page, text: string) => page.getByText(text).first().waitFor()

/** Questions and answers of one user, without the assistant of the server. */
async function talk(user: string, id: string, count: number): Promise<void> {
  const api = bed.server.as({ 'x-user-id': user })
  for (let n = 1; n <= count; n++) {
    const role = users[(n + 1) % 2] === 'user' ? 'USER' : 'ASSISTANT'
    await api.append(id, { role, content: `${role === 'USER' ? 'Q' : 'A'}${Math.ceil(n / 2)}` })
  }
}

/** Two cores take a minute for these; the gate takes the others. */
const long = test.skipIf(!isLong)

test('in the first minute: an assistant thinks, calls a tool, and streams a table and a picture', async () => {
  const page = await browser.open(bed.server.url, 'first')
  await button(page, 'How was the weather in Oslo this week?').click()
  await shows(page, 'was the warmest day')
  await button(page, 'Another answer').waitFor()
  expect(await answers(page).locator('td').count()).toBe(15)
  expect(
    await answers(page)
      .locator('img.picture')
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
  ).toBe(480)
  expect(await page.locator('.folded pre').first().isVisible()).toBe(false)
  await page.getByText('read weather').click()
  await shows(page, '"celsius"')
  await page.getByText('Reasoning').click()
  await shows(page, 'They ask about the weather.')
  await listed(page, 'How was the weather in Oslo this week?').waitFor()
  expect(page.url()).toMatch(/#\/c\/[\w-]+$/)
  expect(await page.title()).toBe('How was the weather in Oslo this week? · Colloquy')
})

test('two windows of one user show the same, and another user sees nothing of it', async () => {
  const [one, other, stranger] = await Promise.all([
    browser.open(bed.server.url, 'ada'),
    browser.open(bed.server.url, 'ada'),
    browser.open(bed.server.url, 'eve'),
  ])
  await say(one, 'Where is my order 4?')
  await listed(other, 'Where is my order 4?').click()
  for (const page of [one, other]) await shows(page, 'It arrives on Friday.')
  await say(other, 'And order 7?')
  for (const page of [one, other]) await shows(page, 'It arrives next week.')
  expect(await one.locator('.messages').textContent()).toBe(await other.locator('.messages').textContent())
  await shows(stranger, 'No conversations yet.')
})

describe('an answer that streams', () => {
  test('goes on after a reload, and is stopped', async () => {
    const page = await browser.open(bed.server.url, 'reload')
    await say(page, 'Tell me a long story')
    await shows(page, 'Part 1.')
    await page.reload()
    await shows(page, 'Part 2.')
    await button(page, 'Stop').click()
    await shows(page, 'Stopped.')
    await button(page, 'Send').waitFor()
  })

  test('goes on while its server is killed, and another takes its place', async () => {
    buildPrograms()
    await using first = await ServerProcess.start(bed.database.url)
    await using second = await ServerProcess.start(bed.database.url)
    await using proxy = await TcpProxy.before({ url: first.url })
    await bed.server.as({ 'x-user-id': 'killed' }).append('killed', 'Tell me.')
    const page = await browser.open(place('killed', proxy.url), 'killed')
    const answer = streamMessage({ ...at(proxy.url, 'killed'), conversationId: 'killed' })
    answer.write('before ')
    await shows(page, 'before')
    first.program.kill('SIGKILL')
    await first.program.exited
    proxy.aim({ url: second.url })
    answer.write('after')
    await shows(page, 'before after')
    await answer.complete()
    await button(page, 'Another answer').waitFor()
    expect(await answers(page).count()).toBe(1)
  })
})

test('what is written without a network is sent once when it is back', async () => {
  await talk('away', 'away', 2)
  const page = await browser.open(place('away'), 'away')
  await shows(page, 'A1')
  await page.context().setOffline(true)
  await shows(page, 'No connection.')
  await say(page, 'while away')
  await say(page, 'and once more')
  await page.locator('[data-sent=pending]').nth(1).waitFor()
  await page.context().setOffline(false)
  await page.locator('[data-sent=sent]').nth(2).waitFor()
  const { conversation } = await bed.server
    .as({ 'x-user-id': 'away' })
    .get('{ conversation(id: "away") { messages { nodes { content } } } }')
  expect(conversation.messages.nodes.map(({ content }: { content: string }) => content)).toEqual([
    'Q1',
    'A1',
    'while away',
    'and once more',
  ])
})

test('a message in other words and another answer are versions, which one looks at alone', async () => {
  const [one, other] = await Promise.all([
    browser.open(bed.server.url, 'versions'),
    browser.open(bed.server.url, 'versions'),
  ])
  await say(one, 'Where is my order 4?')
  await shows(one, 'It arrives on Friday.')
  await listed(other, 'Where is my order 4?').click()
  await messages(one).first().hover()
  await button(one, 'Edit').click()
  await one.getByLabel('The message in other words').fill('Where is my order 7?')
  await one.locator('.edit').getByText('Send').click()
  for (const page of [one, other]) await shows(page, 'It arrives next week.')

  await messages(one).first().hover()
  await button(one, 'Version before').click()
  await shows(one, 'It arrives on Friday.')
  expect(await other.getByText('It arrives next week.').count()).toBe(1)
  await button(one, 'Next version').click()
  await shows(one, 'It arrives next week.')

  await button(other, 'Another answer').click()
  for (const page of [one, other]) await answers(page).getByText('2/2').waitFor()

  await messages(one).first().hover()
  await messages(one).first().getByLabel('Version before').click()
  await shows(one, 'It arrives on Friday.')
  await say(other, 'That is late.')
  await shows(one, 'The conversation goes on in another version.')
  await expectAccessible(one)
  await button(one, 'Show it').click()
  for (const page of [one, other]) await shows(page, 'That is late.')
})

long('a conversation is renamed, archived, restored, exported and deleted, and the other window follows', async () => {
  await talk('list', 'old', 3)
  const page = await browser.open(place('old'), 'list')
  const other = await browser.open(bed.server.url, 'list')
  await button(page, 'Rename').click()
  await page.getByLabel('Title', { exact: true }).fill('Lamps')
  await page.keyboard.press('Enter')
  for (const one of [page, other]) await listed(one, 'Lamps').waitFor()

  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Export as JSON').click()])
  const exported = JSON.parse(await readFile(await download.path(), 'utf8'))
  expect([exported.title, exported.messages.map(({ content }: { content: string }) => content)]).toEqual([
    'Lamps',
    ['Q1', 'A1', 'Q2'],
  ])

  await button(page, 'Archive').click()
  await listed(other, 'Lamps').waitFor({ state: 'detached' })
  await button(other, 'Archived').click()
  await listed(other, 'Lamps').waitFor()
  await button(page, 'Restore').click()
  await listed(other, 'Lamps').waitFor({ state: 'detached' })
  await listed(page, 'Lamps').waitFor()

  await other.goto(place('old'))
  await shows(other, 'Q2')
  await button(page, 'Delete').click()
  await page.locator('dialog').getByText('Delete', { exact: true }).click()
  await shows(other, 'This conversation was deleted.')
  await listed(page, 'Lamps').waitFor({ state: 'detached' })
})

long('earlier messages come as one scrolls up, and what one reads stays where it is', async () => {
  await talk('long', 'long', 140)
  const page = await browser.open(place('long'), 'long')
  await shows(page, 'Q70')
  const count = await messages(page).count()
  expect(count).toBeLessThan(100)
  const first = messages(page).first()
  const id = await first.getAttribute('data-message-id')
  const viewport = page.locator('.viewport')
  const before = await viewport.evaluate((element) => {
    element.scrollTop = 0
    return element.querySelector('.message')?.getBoundingClientRect().top ?? 0
  })
  await messages(page).nth(count).waitFor({ state: 'attached' })
  const after = await page
    .locator(`[data-message-id="${id}"]`)
    .evaluate((element) => element.getBoundingClientRect().top)
  expect(Math.abs(after - before)).toBeLessThan(3)
  while ((await bubbles(page).first().textContent()) !== 'Q1') {
    await viewport.evaluate((element) => {
      element.scrollTop = 0
    })
  }
  expect(await messages(page).count()).toBeLessThanOrEqual(120)
})

long('a picture is made small enough before it is sent, and a draft survives a reload', async () => {
  await talk('sender', 'sent', 2)
  const page = await browser.open(place('sent'), 'sender')
  await shows(page, 'A1')
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button(page, 'Add a picture').click()])
  await chooser.setFiles({ name: 'noise.bmp', mimeType: 'image/bmp', buffer: noise(1600, 1200) })
  await page.locator('.attachment img').waitFor()
  await say(page, 'Look')
  await page.locator('.message.user img.picture').waitFor()
  await page.locator('[data-sent=sent]').nth(1).waitFor()
  const { conversation } = await bed.server
    .as({ 'x-user-id': 'sender' })
    .get('{ conversation(id: "sent") { lastMessage { content parts } } }')
  const [, picture] = conversation.lastMessage.parts
  expect(picture.image_url.url).toMatch(/^data:image\/jpeg;base64,/)
  expect(picture.image_url.url.length).toBeLessThan(300_001)

  await page.locator('.composer textarea').fill('not yet')
  await page.reload()
  await shows(page, 'Look')
  expect(await page.locator('.composer textarea').inputValue()).toBe('not yet')
})

test.each(isLong ? (['light', 'dark'] as const) : (['dark'] as const))(
  'nobody is kept out, on a narrow screen either, in %s colours',
  async (colorScheme) => {
    const page = await browser.open(bed.server.url, `seen-${colorScheme}`, { colorScheme, reducedMotion: 'reduce' })
    await expectAccessible(page)
    await say(page, 'How was the weather in Oslo this week?')
    await shows(page, 'was the warmest day')
    await button(page, 'Another answer').waitFor()
    await page.getByText('read weather').click()
    await expectAccessible(page)
    await page.setViewportSize({ width: 360, height: 640 })
    const width = await page.evaluate('document.documentElement.scrollWidth')
    expect(width).toBe(360)
    await button(page, 'Open the list').click()
    await expectAccessible(page)
    await listed(page, 'How was the weather').click()
    await button(page, 'Open the list').waitFor()
  },
)

test('with an identity, below a path of a proxy: whoever has a token sees what is theirs', async () => {
  const AUTH_SECRET = 'x'.repeat(32)
  await using server = await serve(bed.database.url, { AUTH_SECRET, WEB: 'on', WEB_TOKEN_URL: '/token' })
  const sign = (claims: JWTPayload) => {
    const signed = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h')
    return signed.sign(new TextEncoder().encode(AUTH_SECRET))
  }
  const picture = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='
  await using proxy = await startPrefixProxy(server.url, await sign({ sub: 'owner', name: 'Olga Owner', picture }))
  await talk('owner', 'mine', 2)
  const page = await browser.open(proxy.url, 'nobody')
  await shows(page, 'Nobody answers by itself here')
  await say(page, 'Hello')
  await listed(page, 'Hello').waitFor()
  await page.goto(`${proxy.url}#/c/mine`)
  await shows(page, 'A1')
  await page.locator('.sidebar .user:has(img.face)', { hasText: 'Olga Owner' }).waitFor()

  // The names of others, and the pictures that the policy allows: no other one is asked for.
  const of = async (claims: JWTPayload) => server.as({ authorization: `Bearer ${await sign(claims)}` })
  const owner = bed.server.as({ 'x-user-id': 'owner' })
  for (const userId of ['id-bob', 'id-carl', 'id-dave']) {
    const add =
      'mutation ($id: String!) { addParticipant(input: { conversationId: "mine", userId: $id }) { __typename } }'
    await owner.get(add, { id: userId })
  }
  const bob = await of({ sub: 'id-bob', name: 'Bob Builder', picture })
  const { id } = (await bob.get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0]
  await bob.append(id, 'I am here.')
  await (await of({ sub: 'id-carl', name: 'Carl Clerk', picture: 'https://elsewhere.example/c.png' })).get(
    '{ __typename }',
  )
  const speaker = page.locator('.speaker:has(img.face)', { hasText: 'Bob Builder' })
  await speaker.waitFor()
  // Whoever comes brings a name with its token.
  const dave = await of({ sub: 'id-dave', name: 'Dave Driver' })
  await dave.get('{ __typename }')
  await using feed = dave.subscribe(`subscription { conversationEvents(conversationId: "${id}") { cursor } }`)
  await feed.next()
  await page.locator('.here', { hasText: 'Here: Dave Driver' }).waitFor()
  await button(page, 'People').click()
  const person = (name: string) => page.locator('.person', { hasText: name })
  await person('Bob Builder').locator('img.face').waitFor()
  expect(await person('Carl Clerk').locator('.face').textContent()).toBe('C')
  expect(await page.locator('.people').textContent()).not.toMatch(/id-|owner/)
  await expectAccessible(page)
})

test('the console shows what the server does, and conversations of all users without what they say', async () => {
  const api = bed.server.as({ 'x-user-id': 'watched' })
  await api.append('seen', 'a secret')
  const started = await api.get(
    'mutation { startMessage(input: { conversationId: "seen", role: ASSISTANT, timeoutSeconds: 3600 }) { message { id } } }',
  )
  await using feed = api.subscribe('subscription { conversationEvents(conversationId: "seen", after: "") { cursor } }')
  await feed.next()
  const page = await browser.open(`${bed.server.url}/console`, 'root', { colorScheme: 'dark', reducedMotion: 'reduce' })
  await page.locator('.figure').getByText('subscriptions').waitFor()
  await page.getByRole('img', { name: 'Watchers of the last minutes' }).waitFor()
  await expectAccessible(page)

  await page.getByRole('link', { name: 'Streams' }).click()
  await page.getByRole('link', { name: 'seen' }).click()
  await shows(page, '1, for watched')
  await page.locator('tr', { hasText: 'streaming' }).waitFor()
  expect(await page.locator('body').textContent()).not.toContain('a secret')
  const id = started.startMessage.message.id
  await api.get(
    `mutation { completeMessage(input: { messageId: "${id}", attempt: 1, chunks: 0, content: "x" }) { message { id } } }`,
  )
  await button(page, 'Changed, by revision').click()
  await page.locator('tr', { hasText: 'complete' }).waitFor()
  await page.setViewportSize({ width: 360, height: 640 })
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
  await expectAccessible(page)

  await page.getByRole('link', { name: 'Conversations', exact: true }).click()
  await page.getByLabel('User').fill('watched')
  await button(page, 'Find').click()
  await page.getByRole('link', { name: 'seen' }).waitFor()
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByLabel('Find a setting').fill('DATABASE_URL')
  await shows(page, 'set, and not shown')
})

test('with an OpenID provider: whoever opens the page signs in there, and tokens are renewed', async () => {
  // So short that each connection asks for a new token.
  await using provider = await startOpenIdProvider(20)
  await using server = await serve(bed.database.url, {
    AUTH_JWKS_URL: `${provider.issuer}/jwks`,
    AUTH_ISSUER: provider.issuer,
    AUTH_AUDIENCE: 'https://colloquy.example',
    WEB: 'on',
    WEB_OIDC_ISSUER: provider.issuer,
    WEB_OIDC_CLIENT_ID: 'page',
  })
  provider.serve(`${server.url}/`)
  await talk('olga', 'hers', 2)
  const page = await browser.open(place('hers', server.url), 'nobody')
  await shows(page, 'A1')
  await page.locator('.sidebar .user', { hasText: 'Olga Owner' }).waitFor()
  expect(page.url()).toBe(place('hers', server.url))
  await page.goto(`${server.url}/console`)
  await shows(page, 'Only an operator may ask for this')
  expect(provider.grants[0]).toBe('authorization_code')
  expect(new Set(provider.grants.slice(1))).toEqual(new Set(['refresh_token']))

  provider.mayEnter = false
  const refused = await browser.open(server.url, 'nobody')
  await shows(refused, 'Not you.')
})

test('whoever supports sees what waits for a person, reads it, and takes it over', async () => {
  const guest = bed.server.as({ 'x-user-id': 'guest' })
  await guest.append('help', 'My lamp is broken.')
  const page = await browser.open(bed.server.url, 'sue')
  const wait = 'mutation { waitForPerson(input: { conversationId: "help", reason: "a refund" }) { __typename } }'
  await guest.get(wait)
  await page.locator('.queue-item', { hasText: 'guest: a refund' }).click()
  await shows(page, 'My lamp is broken.')
  await button(page, 'Take over').waitFor()
  expect(await page.locator('.composer').isVisible()).toBe(false)
  await expectAccessible(page)
  await button(page, 'Take over').click()
  await page.locator('.queue-item').waitFor({ state: 'detached' })
  await say(page, 'I bring a new one.')
  await page.locator('[data-sent=sent]', { hasText: 'I bring a new one.' }).waitFor()
  expect(await guest.get('{ conversation(id: "help") { takenOverBy waiting { since } } }')).toEqual({
    conversation: { takenOverBy: 'sue', waiting: null },
  })
})

test("the README's React is a chat: it shows what is there and what comes, and sends", async () => {
  const [, program = ''] = /```tsx\n([\s\S]*?)```/.exec(await readFile('README.md', 'utf8')) ?? []
  const page = await browser.open(bed.server.url, 'local')
  const script = await bundleChat(program, bed.server)
  await page.route('**/favicon.ico', (route) => route.fulfill())
  const show = async () => {
    // A document of the server without a policy, and without an icon.
    await page.goto(`${bed.server.url}/healthz`)
    await page.setContent('<div id="root"></div>')
    await page.addScriptTag({ content: script, type: 'module' })
  }
  await show()
  await page.getByLabel('Message').fill('Where is my order?')
  await page.keyboard.press('Enter')
  await shows(page, 'user: Where is my order?')
  await bed.server.as({ 'x-user-id': 'local' }).append('hello', { role: 'ASSISTANT', content: 'On its way.' })
  await shows(page, 'assistant: On its way.')
  await show()
  await shows(page, 'assistant: On its way.')
})

/** A picture that does not compress: 24 bits for each pixel, drawn by a fixed sequence. */
function noise(width: number, height: number): Buffer {
  const size = width * height * 3
  const head = Buffer.alloc(54)
  head.write('BM')
  head.writeUInt32LE(54 + size, 2)
  head.writeUInt32LE(54, 10)
  head.writeUInt32LE(40, 14)
  head.writeInt32LE(width, 18)
  head.writeInt32LE(height, 22)
  head.writeUInt16LE(1, 26)
  head.writeUInt16LE(24, 28)
  const pixels = Buffer.alloc(size)
  for (let index = 0, seed = 1; index < size; index++) {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    pixels[index] = seed >> 16
  }
  return Buffer.concat([head, pixels])
}
