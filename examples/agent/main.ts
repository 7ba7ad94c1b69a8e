// Outside of this repository, import '@colloquy/client', '@colloquy/client/openai' and '@colloquy/client/anthropic'.
import { runMessagesTurn } from '../../client/src/anthropic.ts'
import { request } from '../../client/src/index.ts'
import { runChatTurn, type TurnOptions, type TurnResult } from '../../client/src/openai.ts'
import { scriptedModel } from './scripted-model.ts'
import { tools } from './tools.ts'
import { watch } from './watch.ts'

const { COLLOQUY_URL, PORT, CONVERSATION, OPENAI_API_KEY, ANTHROPIC_API_KEY, MODEL } = process.env
const url = COLLOQUY_URL || `http://127.0.0.1:${PORT || 4000}/graphql`
const conversationId = CONVERSATION || 'agent'
const at = { url, conversationId, connectionParams: { 'x-user-id': 'local' } }
const question = process.argv.slice(2).join(' ') || 'Where is my order 4?'
if (question.startsWith('-')) end(`agent has no option ${question}. Its arguments are the question.`)

// The client tries again for ever. At the start it is more likely that no server is there, or that it does not take the agent.
const { errors } = await fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json', ...at.connectionParams },
  body: '{ "query": "{ viewer { id } }" }',
  signal: AbortSignal.timeout(10_000),
})
  .then((response) => response.json() as Promise<{ errors?: { message: string }[] }>)
  .catch(({ cause, message }) => ({ errors: [{ message: cause?.code ?? message }] }))
if (errors) {
  end(`agent failed: ${errors[0]?.message}. It needs the server at ${url}: npm start, or name yours in COLLOQUY_URL.`)
}

await request(at, 'mutation ($id: ID!) { createConversation(input: { id: $id, ifExists: RETURN }) { created } }', {
  id: conversationId,
})
// Prints what was said before, and then what is said now. All that it prints comes from the server, nothing from `runTurn`.
const watching = watch(at)
await watching.caughtUp
const { text, messageId } = await runTurn({
  ...at,
  userMessage: question,
  system: 'You help with orders, in one or two sentences.',
  maxTokens: 8_000,
  tools,
  model: MODEL ?? 'scripted',
})
await watching.saw(messageId)
if (text === '') console.log('(The model had nothing to say.)')

function end(sentence: string): never {
  console.error(sentence)
  process.exit(1)
}

/** Calls a provider if the environment has a key for it, and otherwise the scripted model. */
async function runTurn(options: TurnOptions): Promise<TurnResult> {
  if (OPENAI_API_KEY) {
    const { default: OpenAI } = await import('openai')
    return runChatTurn({ ...options, client: new OpenAI(), model: MODEL ?? 'gpt-5.4-mini' })
  }
  if (ANTHROPIC_API_KEY) {
    const { default: Anthropic } = await import('@anthropic-ai/sdk')
    const model = MODEL ?? 'claude-haiku-4-5'
    return runMessagesTurn({ ...options, client: new Anthropic(), model, request: { max_tokens: 1_000 } })
  }
  return runChatTurn({ ...options, client: scriptedModel })
}
