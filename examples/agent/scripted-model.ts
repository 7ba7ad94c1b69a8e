import { setTimeout as pause } from 'node:timers/promises'
import type { ChatClient } from '../../client/src/openai.ts'

/** A message of OpenAI chat completions. */
interface Message {
  readonly role: string
  readonly content: unknown
}

type Chunks = Awaited<ReturnType<ChatClient['chat']['completions']['create']>>

/**
 * Stands in for a model when there is no key. It looks up an order and repeats what the tool said. It knows only the
 * messages of its window: it can answer a question that names no order because the window holds the question before.
 */
export const scriptedModel: ChatClient = {
  chat: {
    completions: {
      create: async (request) => answer((request as unknown as { messages: Message[] }).messages),
    },
  },
}

async function* answer(messages: readonly Message[]): Chunks {
  const last = messages.at(-1)
  if (last?.role === 'tool') {
    yield* say(tell(String(last.content)))
    return
  }
  const id = lastNumber(messages)
  if (id === null) yield* say('Which order do you mean? Tell me its number.')
  else yield* ask('find_order', JSON.stringify({ id }))
}

function tell(result: string): string {
  if (!result.startsWith('{')) return `I am sorry. ${result}`
  const { id, item, status, arrives } = JSON.parse(result) as Record<string, string>
  return `Order ${id}, ${item}, is ${status}. It arrives ${arrives}.`
}

/** The number that the user named last. */
function lastNumber(messages: readonly Message[]): number | null {
  const asked = messages.filter(({ role }) => role === 'user').map(({ content }) => String(content))
  const numbers = asked.flatMap((text) => text.match(/\d+/g) ?? [])
  return numbers.length === 0 ? null : Number(numbers.at(-1))
}

async function* say(text: string): Chunks {
  for (const word of text.split(/(?<= )/)) {
    yield { choices: [{ delta: { content: word } }] }
    await pause(60)
  }
  yield { choices: [{ delta: {}, finish_reason: 'stop' }] }
}

async function* ask(name: string, args: string): Chunks {
  const call = { index: 0, id: `call_${crypto.randomUUID()}`, function: { name, arguments: args } }
  yield { choices: [{ delta: { tool_calls: [call] } }] }
  yield { choices: [{ delta: {}, finish_reason: 'tool_calls' }] }
}
