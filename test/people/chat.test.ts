import { expect, test } from 'vitest'
import type { Api, Results } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import * as identities from './identities.ts'

/* What people add to messages: reactions. */

const bed = useBed({ ...identities.identitySettings, QUOTA_STREAMS: 'off' })

const user = async (...of: Parameters<typeof identities.user>) => bed.server.as(await identities.user(...of))

/** A conversation of ada's with a message of each, in which grace is a member; and its id for her. */
async function begin(id: string) {
  const [ada, grace] = [await user('ada'), await user('grace')]
  const question = (await ada.append(id, 'question')).message.id as string
  const answer = (await ada.append(id, { role: 'ASSISTANT', content: 'answer' })).message.id as string
  await join(ada, id, 'grace')
  const forGrace = (await grace.get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0].id as string
  return { ada, grace, forGrace, question, answer }
}

async function join(owner: Api, id: string, userId: string): Promise<void> {
  const add = `mutation ($id: ID!, $userId: String!) {
    addParticipant(input: { conversationId: $id, userId: $userId }) { conversation { id } }
  }`
  await owner.get(add, { id, userId })
}

const call = (name: string, selected: string) =>
  `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selected} } }`

const react = (name: 'addReaction' | 'removeReaction') =>
  call(name, 'message { revision reactions { emoji count viewerReacted } }')

async function reacted(api: Api, messageId: string, emoji: string, name: Parameters<typeof react>[0] = 'addReaction') {
  return (await api.get(react(name), { input: { messageId, emoji } }))[name].message
}

async function reactionsOf(api: Api, id: string) {
  return (
    await api.get('query ($id: ID!) { node(id: $id) { ... on Message { reactions { emoji count viewerReacted } } } }', {
      id,
    })
  ).node.reactions
}

const nextOf = async (results: Results) => Object.values((await results.next())?.data ?? {})[0]

test('each user has each emoji once, and emojis stand in the order of their first use', async () => {
  const { ada, grace, question } = await begin('each once')
  await reacted(ada, question, '🎉')
  await reacted(grace, question, '👍🏽')
  expect((await reacted(grace, question, '🎉')).reactions).toEqual([
    { emoji: '🎉', count: 2, viewerReacted: true },
    { emoji: '👍🏽', count: 1, viewerReacted: true },
  ])
  const before = (await ada.get('{ conversation(id: "each once") { cursor updatedAt } }')).conversation
  expect((await reacted(ada, question, '🎉')).reactions).toEqual([
    { emoji: '🎉', count: 2, viewerReacted: true },
    { emoji: '👍🏽', count: 1, viewerReacted: false },
  ])
  await reacted(ada, question, '👎', 'removeReaction')
  // What was there already, and what was not there, changed nothing.
  expect((await ada.get('{ conversation(id: "each once") { cursor updatedAt } }')).conversation).toEqual(before)
  await reacted(ada, question, '🎉', 'removeReaction')
  // The first use of those that are there: hers of 👍🏽 came before hers of 🎉.
  expect(await reactionsOf(ada, question)).toEqual([
    { emoji: '👍🏽', count: 1, viewerReacted: false },
    { emoji: '🎉', count: 1, viewerReacted: false },
  ])
  for (const emoji of ['🎉', '👍🏽']) await reacted(grace, question, emoji, 'removeReaction')
  expect(await reactionsOf(ada, question)).toEqual([])
})

test('a feed tells every reaction, a reader that comes back gets the state once, and pages show it', async () => {
  const { ada, grace, question } = await begin('feeds')
  const { cursor } = (await ada.get('{ conversation(id: "feeds") { cursor } }')).conversation
  const follow = `subscription ($after: String) { conversationEvents(conversationId: "feeds", after: $after) {
    __typename cursor ... on MessageUpdated { message { seq revision reactions { emoji count viewerReacted } } }
  } }`
  await using live = ada.subscribe(follow, { after: cursor })
  expect(await nextOf(live)).toMatchObject({ __typename: 'CaughtUp' })
  const state = async (change: Promise<{ revision: string }>, reactions: object[]) => {
    const { revision } = await change
    const event = await nextOf(live)
    expect(event).toMatchObject({ __typename: 'MessageUpdated', message: { seq: 1, revision, reactions } })
    return (event as { cursor: string }).cursor
  }
  const one = await state(reacted(grace, question, '👀'), [{ emoji: '👀', count: 1, viewerReacted: false }])
  const two = await state(reacted(ada, question, '👀'), [{ emoji: '👀', count: 2, viewerReacted: true }])
  const now = await state(reacted(grace, question, '👀', 'removeReaction'), [
    { emoji: '👀', count: 1, viewerReacted: true },
  ])
  for (const after of [cursor, one, two]) {
    await using again = ada.subscribe(follow, { after })
    expect(await nextOf(again)).toMatchObject({
      message: { reactions: [{ emoji: '👀', count: 1, viewerReacted: true }] },
    })
    expect(await nextOf(again)).toMatchObject({ __typename: 'CaughtUp' })
  }
  await using rest = ada.subscribe(follow, { after: now })
  expect(await nextOf(rest)).toMatchObject({ __typename: 'CaughtUp' })
  const page = '{ conversation(id: "feeds") { messages { nodes { reactions { emoji count } } } } }'
  expect((await ada.get(page)).conversation.messages.nodes).toEqual([
    { reactions: [{ emoji: '👀', count: 1 }] },
    { reactions: [] },
  ])
})

test('of many who react at once none is lost, and the limit of emojis holds', async () => {
  const { ada, grace, question } = await begin('at once')
  const emojis = [...'😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂🤗🤩🤔']
  const answers = await Promise.all(
    emojis.flatMap((emoji) =>
      [ada, grace].map((api) => api.ask(react('addReaction'), { input: { messageId: question, emoji } })),
    ),
  )
  const refused = answers.flatMap(({ errors }) => errors ?? [])
  expect(refused).toHaveLength(4)
  for (const { extensions } of refused) {
    expect(extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'input.emoji', limit: 20, actual: 21 })
  }
  const reactions = await reactionsOf(ada, question)
  expect(reactions.map(({ count }: { count: number }) => count)).toEqual(Array.from({ length: 20 }, () => 2))
  // One that is there takes no room.
  await reacted(await user('ada'), question, reactions[0].emoji)
})

test('an emoji is one of those that Unicode recommends, and nothing else is', async () => {
  const { ada, question } = await begin('emojis')
  for (const emoji of ['❤️', '👩🏽‍🚀', '🇺🇳', '🏴󠁧󠁢󠁷󠁬󠁳󠁿', '👩🏻‍❤️‍💋‍👨🏿', '#️⃣']) await reacted(ada, question, emoji)
  const fail = async (emoji: string) => {
    const { extensions } = await ada.fail(react('addReaction'), { input: { messageId: question, emoji } })
    expect(await ada.fail(react('removeReaction'), { input: { messageId: question, emoji } })).toMatchObject({
      extensions,
    })
    return extensions
  }
  for (const emoji of ['', 'a', ':+1:', '👍👍', '👍 ', '❤', '🇺', '\0', '\ud83d', '👍'.repeat(16)]) {
    expect(await fail(emoji)).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.emoji' })
  }
  expect(await fail(`${'👍'.repeat(16)}!`)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', limit: 64, actual: 65 })
})
