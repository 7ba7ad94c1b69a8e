import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  ConnectionHandler,
  commitMutation,
  createOperationDescriptor,
  type Environment,
  fetchQuery,
  getPaginationMetadata,
  getPaginationVariables,
  getSingularSelector,
  requestSubscription,
} from 'relay-runtime'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { useBed } from '../support/bed.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { writeBlocks } from './blocks.ts'

const bed = useBed()

// biome-ignore lint/suspicious/noExplicitAny: the blocks of the guide are modules that do not exist before the test.
type Block = any

/** What Relay says of data that it does not expect. */
const warned = vi.spyOn(console, 'error')

let proxy: TcpProxy
let environment: Environment
/** What the compiler made of the documents, by their names. */
let made: Record<string, Block>

beforeAll(async () => {
  proxy = await TcpProxy.before(bed.server)
  const place = await writeBlocks('relay', proxy.url)
  await cp('schema.graphql', join(place, 'schema.graphql'))
  await mkdir(join(place, 'made'))
  const config = { src: '.', schema: './schema.graphql', language: 'typescript', eagerEsModules: true }
  await writeFile(join(place, 'relay.config.json'), JSON.stringify({ ...config, artifactDirectory: './made' }))
  await promisify(execFile)(createRequire(import.meta.url)('relay-compiler'), ['relay.config.json'], { cwd: place })
  // As Relay's plugin of a bundler does: a document is what the compiler made of it.
  const documents = await readFile(join(place, 'relay-documents.ts'), 'utf8')
  const names = (await readdir(join(place, 'made'))).map((file) => file.replace('.graphql.ts', ''))
  const artifacts = names.map((name) => `import ${name} from './made/${name}.graphql.ts'\n`).join('')
  const code = documents.replaceAll(/graphql`\s*\w+ (\w+)[^`]*`/g, '$1')
  await writeFile(join(place, 'documents.ts'), artifacts + code)
  made = await import(join(place, 'documents.ts'))
  ;({ environment } = await import(join(place, 'relay.ts')))
})

afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  expect(warned).not.toHaveBeenCalled()
})

/** Holds the data of a query, as a screen does. */
function show(query: Block, variables: Record<string, unknown>) {
  const operation = createOperationDescriptor(query, variables)
  const held = environment.retain(operation)
  const read = () => environment.lookup(operation.fragment).data as Block
  return { read, load: () => fetchQuery(environment, query, variables).toPromise(), end: () => held.dispose() }
}

/** What `usePaginationFragment` reads and does. */
function paginate(fragment: Block, parent: () => Block) {
  const selector = () => getSingularSelector(fragment, parent()) as Block
  const read = () => environment.lookup(selector()).data as Block
  const load = async (direction: 'forward' | 'backward', count: number) => {
    const { paginationRequest, paginationMetadata, identifierField } = getPaginationMetadata(fragment, 'test')
    const { pageInfo } = read().messages
    const cursor = direction === 'forward' ? pageInfo.endCursor : pageInfo.startCursor
    const { owner } = selector()
    const variables = getPaginationVariables(direction, count, cursor, owner.variables, {}, paginationMetadata)
    const base = { ...selector().variables, ...variables, id: read()[identifierField as string] }
    await fetchQuery(environment, paginationRequest, base).toPromise()
  }
  return { read, load }
}

function subscribe(subscription: Block, variables: Record<string, unknown>): () => void {
  const { dispose } = requestSubscription(environment, { subscription, variables })
  return dispose
}

const commit = (mutation: Block, variables: Record<string, unknown>) =>
  new Promise<void>((resolve, reject) =>
    commitMutation(environment, { mutation, variables, onCompleted: () => resolve(), onError: reject }),
  )

/** Another answer to the same message. */
const anew = `mutation ($id: ID!, $parentId: ID) {
  startMessage(input: { conversationId: $id, parentId: $parentId }) { attempt } }`

test('Relay: pages both ways, a lost connection and a cursor that another query has moved lose and double nothing', async () => {
  const ada = bed.server.as()
  const id = 'relay-live'
  const all = Array.from({ length: 70 }, (_, n) => `m-${n}`)
  for (const content of all) await ada.append(id, content)
  const screen = show(made.messagesQuery, { id })
  await screen.load()
  const list = paginate(made.messages, () => screen.read().conversation)
  const edges = () => list.read()?.messages?.edges.filter((edge: Block) => edge !== null && edge.node !== null)
  const contents = () => edges()?.map(({ node }: Block) => node.content)
  expect(contents()).toEqual(all.slice(20))
  const { endCursor } = list.read().messages.pageInfo
  const firstId = edges()[0].node.id
  await ada.append(id, 'between')
  // Sends `first` with `last: 50`, which is the default.
  await list.load('forward', 10)
  expect(contents()).toEqual([...all.slice(20), 'between'])
  const connections = [ConnectionHandler.getConnectionID(id, 'relayDocuments_messages')]
  const end = subscribe(made.events, { id, after: endCursor, connections })
  await ada.append(id, 'live')
  await until(() => contents().at(-1) === 'live')
  proxy.cut()
  await ada.append(id, 'while it was away')
  await ada.get(
    'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "edited" }) { message { id } } }',
    {
      id: firstId,
    },
  )
  await until(() => contents().at(-1) === 'while it was away' && contents()[0] === 'edited')
  await list.load('backward', 10)
  await list.load('backward', 50)
  const whole = [...all.with(20, 'edited'), 'between', 'live', 'while it was away']
  expect(contents()).toEqual(whole)
  const { message } = (
    await ada.get('mutation ($id: ID!) { startMessage(input: { conversationId: $id }) { message { id parentId } } }', {
      id,
    })
  ).startMessage
  for (const [chunk, text] of ['Ye', 's.'].entries()) {
    await ada.get(
      `mutation ($id: ID!, $chunk: Int!, $text: String!) {
        appendMessageText(input: { messageId: $id, attempt: 1, chunk: $chunk, text: $text }) { nextChunk } }`,
      { id: message.id, chunk, text },
    )
  }
  await until(() => contents().at(-1) === 'Yes.')
  await ada.get(anew, { id, parentId: message.parentId })
  await until(() => contents().length === whole.length + 2)
  const versions = edges().slice(-2)
  expect(versions.map(({ node }: Block) => [node.siblings.index, node.siblings.count])).toEqual([
    [0, 2],
    [1, 2],
  ])
  await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', { id: firstId })
  await until(() => contents()[20] === null)
  expect(contents()).toHaveLength(whole.length + 2)
  await ada.get('mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }', { id })
  await until(() => screen.read().conversation === null)
  end()
  screen.end()
})

test('Relay: the list of conversations has what it creates and deletes, and what others do', async () => {
  const ada = bed.server.as()
  const screen = show(made.conversationsQuery, {})
  await screen.load()
  const edges = () => screen.read().conversations.edges
  const titles = () => edges().map((edge: Block) => edge?.node?.title)
  const connections = [ConnectionHandler.getConnectionID('client:root', 'relayDocuments_conversations')]
  const { conversations } = await ada.get('{ conversations { cursor } }')
  const end = subscribe(made.changes, { after: conversations.cursor, connections })
  await commit(made.create, { input: { id: 'mine', title: 'mine' }, connections })
  expect(titles()).toEqual(['mine'])
  await ada.get('mutation { createConversation(input: { id: "theirs", title: "theirs" }) { created } }')
  await until(() => titles().includes('theirs'))
  proxy.cut()
  await ada.get('mutation { updateConversation(input: { id: "mine", title: "renamed" }) { conversation { id } } }')
  await until(() => titles().includes('renamed'))
  expect(titles()).toEqual(['theirs', 'renamed'])
  await commit(made.remove, { id: 'theirs', connections })
  expect(titles()).toEqual(['renamed'])
  await ada.get('mutation { deleteConversation(input: { id: "mine" }) { deletedConversationId } }')
  await until(() => titles().length === 0)
  end()
  screen.end()
})
