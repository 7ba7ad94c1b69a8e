import { setTimeout as pause } from 'node:timers/promises'
import type { ChatClient } from '../../client/src/openai.ts'
import { drawBars } from './bar-chart.ts'

type Chunks = Awaited<ReturnType<ChatClient['chat']['completions']['create']>>

interface Message {
  readonly role: string
  readonly content: unknown
}

/** In milliseconds, about as fast as a model. */
const betweenWords = 15

/** Stands in for a model when there is no key. It knows only the messages of its window. */
export const scriptedModel: ChatClient = {
  chat: {
    completions: {
      create: async (body, { signal }) => answer((body as unknown as { messages: Message[] }).messages, signal),
    },
  },
}

async function* answer(messages: readonly Message[], signal: AbortSignal): Chunks {
  const question = textOf(messages.findLast(({ role }) => role === 'user'))
  const result = messages.at(-1)
  if (result?.role === 'tool') yield* say(tellResult(textOf(result)), signal)
  else if (/\b(person|human)\b/i.test(question)) {
    yield* think('They want a person, and I have a tool that calls one.')
    yield* call('call_person', { reason: question })
  } else if (/refund|money back|pay .*back/i.test(question)) yield* refundOrder(question, signal)
  else if (/\border\b/i.test(question)) yield* lookUpOrder(question, signal)
  else if (/weather|rain|forecast/i.test(question)) {
    yield* think(`They ask about the weather. I have a tool for that: read_weather. It wants a city.`)
    yield* call('read_weather', { city: /\bin ([A-Z]\w+)/.exec(question)?.[1] ?? 'Oslo' })
  } else if (/chart|draw|picture|plot/i.test(question)) yield* say(drawChart(), signal)
  else if (/long|story|essay/i.test(question)) yield* say(longStory, signal)
  else {
    yield* think('No tool is needed for this. I say what I can do, so that they can try it.')
    yield* say(introduce(question), signal)
  }
}

async function* lookUpOrder(question: string, signal: AbortSignal): Chunks {
  const id = /\d+/.exec(question)?.[0]
  if (id === undefined) {
    yield* say('Which order do you mean? Tell me its number: there are orders 4 and 7.', signal)
    return
  }
  yield* think(`They name order ${id}. I look it up before I say anything about it.`)
  yield* call('find_order', { id: Number(id) })
}

async function* refundOrder(question: string, signal: AbortSignal): Chunks {
  const id = /\d+/.exec(question)?.[0]
  if (id === undefined) {
    yield* say('Which order shall be paid back? Tell me its number: there are orders 4 and 7.', signal)
    return
  }
  yield* think(`They want their money back for order ${id}. I may ask for that, and a person decides.`)
  yield* say(`I can pay back order **${id}** when somebody approves it.`, signal, null)
  yield* call('refund_order', { id: Number(id) })
}

function tellResult(content: string): string {
  if (content.startsWith('A person refused')) return tellRefusal(content)
  if (!content.startsWith('{')) return `I am sorry. ${content}`
  const result = JSON.parse(content) as Record<string, unknown>
  if (result.called === true) return 'I have called a person, who sees all that is written here. Until then I am here.'
  if (result.refunded !== undefined) return `Order **${result.id}** is paid back: ${result.refunded}.`
  if (Array.isArray(result.days)) return tellWeather(String(result.city), result.days)
  return `Order **${result.id}**, ${result.item}, is ${result.status}. It arrives ${result.arrives}.`
}

function tellRefusal(content: string): string {
  const reason = content.split(': ').slice(1).join(': ')
  return `Then nothing is paid back.${reason === '' ? '' : ` The reason that I was given: “${reason}”`}`
}

interface Day {
  readonly day: string
  readonly celsius: number
  readonly rain_mm: number
}

function tellWeather(city: string, days: readonly Day[]): string {
  const rows = days.map(({ day, celsius, rain_mm }) => `| ${day} | ${celsius} °C | ${rain_mm} mm |`).join('\n')
  const warmest = days.reduce((one, other) => (other.celsius > one.celsius ? other : one))
  const chart = drawBars(days.map(({ day, celsius }) => [day.slice(0, 3), celsius]))
  return `This is how the week was in **${city}**:\n\n| Day | Temperature | Rain |\n| --- | --- | --- |\n${rows}\n\n![Temperatures by day](${chart})\n\n${warmest.day} was the warmest day, with ${warmest.celsius} °C. All of this is made up: I am a script.`
}

function drawChart(): string {
  const chart = drawBars([
    ['2021', 12],
    ['2022', 19],
    ['2023', 31],
    ['2024', 48],
    ['2025', 66],
  ])
  return `Here is one, drawn by the script itself:\n\n![Bars that grow from year to year](${chart})\n\nIt is an SVG that stands in the message, so nothing is fetched from elsewhere.`
}

function introduce(question: string): string {
  const heard = question.length > 80 ? 'That was a long message.' : `You wrote “${question}”.`
  return `${heard} I am a script that stands in for a model, so that this page has somebody to talk to. Try one of these:

- **How was the weather in Oslo this week?** calls a tool, and shows a table and a picture.
- **Where is my order 4?** looks something up.
- **Refund my order 4** asks you before it does anything.
- **Draw me a chart** draws.
- **I want to talk to a person** calls whoever supports: in development that is everybody else.
- **Tell me a long story** takes its time: press *Stop*, or reload the page in the middle.

Whatever runs here, your own agent does in the same way:

\`\`\`ts
const answer = streamMessage({ url, conversationId, messages: [{ role: 'USER', content: question }] })
for await (const token of model) answer.write(token)
await answer.complete()
\`\`\`
`
}

const longStory = Array.from(
  { length: 12 },
  (_, index) =>
    `**Part ${index + 1}.** A message was sent over a line that was lost in the middle of a word. The server had written down every piece that it had confirmed, and so the one who watched went on exactly where the line had broken, and never knew that anything had happened.`,
).join('\n\n')

/** As providers of reasoning models stream it. */
async function* think(text: string): Chunks {
  for (const word of text.split(/(?<= )/)) yield { choices: [{ delta: { reasoning_content: word } }] }
}

/** A picture comes as a whole. @param end why the answer ends; null: it goes on */
async function* say(text: string, signal: AbortSignal, end: string | null = 'stop'): Chunks {
  for (const word of text.split(/(?<= )(?![^(]*\))|(?<=\n)/)) {
    yield { choices: [{ delta: { content: word } }] }
    await pause(betweenWords, undefined, { signal })
  }
  if (end !== null) yield { choices: [{ delta: {}, finish_reason: end }] }
}

async function* call(name: string, args: object): Chunks {
  const called = { index: 0, id: `call_${crypto.randomUUID()}`, function: { name, arguments: JSON.stringify(args) } }
  yield { choices: [{ delta: { tool_calls: [called] } }] }
  yield { choices: [{ delta: {}, finish_reason: 'tool_calls' }] }
}

/** Of a content that is a text, or parts with texts. */
function textOf(message: Message | undefined): string {
  const { content } = message ?? {}
  if (!Array.isArray(content)) return String(content ?? '')
  return content.map((part) => (typeof part.text === 'string' ? part.text : '')).join(' ')
}
