import { applyEvent, type FollowedMessage, followConversation } from '../../client/src/index.ts'

interface Watching {
  /** Settles when all earlier messages are printed. */
  readonly caughtUp: Promise<void>
  /** Settles when this message has ended and is printed; the watching ends then. */
  saw(messageId: string): Promise<void>
}

/** Prints a conversation from its beginning, and then each new event. Every other watcher sees the same. */
export function watch(at: Parameters<typeof followConversation>[0]): Watching {
  const following = followConversation({ ...at, after: '' })
  const caughtUp = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  const ended = new Set<string>()
  let last: string | null = null
  const run = async () => {
    let messages: readonly FollowedMessage[] = []
    const shown = new Map<number, number>()
    for await (const event of following) {
      const before = messages
      messages = applyEvent(messages, event)
      for (const message of messages) {
        if (before[message.seq - 1] === message) continue
        show(message, shown)
        if (message.status !== 'STREAMING') ended.add(message.id)
      }
      if (event.__typename === 'CaughtUp') caughtUp.resolve()
      if (last !== null && ended.has(last)) break
    }
    over.resolve()
  }
  run().catch((error) => {
    caughtUp.reject(error)
    over.reject(error)
  })
  return {
    caughtUp: caughtUp.promise,
    saw: async (messageId) => {
      last = messageId
      if (ended.has(messageId)) await following.return?.()
      await over.promise
    },
  }
}

const speakers = { USER: 'you', ASSISTANT: 'agent', TOOL: 'tool', SYSTEM: 'system', DEVELOPER: 'system' }

/** Prints the part of a message that is not printed yet. */
function show({ seq, role, content, status, toolCalls }: FollowedMessage, shown: Map<number, number>): void {
  const text = content ?? ''
  const printed = shown.get(seq)
  if (printed === Number.POSITIVE_INFINITY) return
  if (text !== '' && !printed) process.stdout.write(`${speakers[role]}: `)
  process.stdout.write(text.slice(printed ?? 0))
  shown.set(seq, status === 'STREAMING' ? text.length : Number.POSITIVE_INFINITY)
  if (status === 'STREAMING') return
  if (text !== '') process.stdout.write('\n')
  for (const { name, arguments: args } of toolCalls) process.stdout.write(`agent: → ${name} ${args}\n`)
  if (status !== 'COMPLETE') process.stdout.write(`(${status})\n`)
}
