import { readChatConversation } from './chat-conversation.ts'
import { type ChatMessageInput, Fault } from './chat-message.ts'
import { append, Refusal, Unreachable } from './client.ts'
import { type Line, readLines } from './lines.ts'
import type { Counts, Progress } from './progress.ts'
import type { Settings } from './settings.ts'

/** How many conversations are sent at once. The batches of one conversation are sent in order. */
const atOnce = 4
/** The most messages that the API takes at once. */
const longestBatch = 100
/** Bytes of JSON in one batch, well below what the server accepts. */
const largestBatch = 2 * 1024 * 1024

/**
 * Imports a file. Reading waits while enough conversations are being sent, so a file of any length needs the memory of
 * only a few lines.
 *
 * @returns what was done, and why the import ended early, or null
 */
export async function importFile(
  path: string,
  settings: Settings,
  progress: Progress,
): Promise<{ counts: Counts; failure: string | null }> {
  const counts: Counts = { conversations: 0, stored: 0, replayed: 0, faults: 0 }
  const abort = new AbortController()
  let failure: unknown = null
  const inFlight = new Map<string, Promise<void>>()

  for await (const line of readLines(path)) {
    const conversation = readLine(line)
    if (conversation instanceof Fault) {
      counts.faults += 1
      progress.fault(line.number, conversation)
      continue
    }
    const { id, messages } = conversation
    // If two lines have one id, the earlier line is sent first. Otherwise chance would decide which of them is refused.
    await inFlight.get(id)
    if (inFlight.size >= atOnce) await Promise.race(inFlight.values())
    if (failure !== null) break
    const sent = send(line.number, id, messages).catch((error: unknown) => {
      failure ??= error
      abort.abort()
    })
    inFlight.set(
      id,
      sent.then(() => void inFlight.delete(id)),
    )
  }
  await Promise.all(inFlight.values())
  if (failure !== null && !(failure instanceof Unreachable)) throw failure
  return { counts, failure: failure instanceof Unreachable ? failure.message : null }

  async function send(number: number, id: string, messages: readonly ChatMessageInput[]): Promise<void> {
    let sent = 0
    try {
      for (const batch of batchesOf(messages)) {
        const replayed = await append(settings, id, batch, abort.signal)
        sent += batch.length
        for (const wasThere of replayed) counts[wasThere ? 'replayed' : 'stored'] += 1
        progress.show(counts)
      }
      counts.conversations += 1
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      counts.faults += 1
      progress.fault(number, new Fault(inWordsOfTheFile(error, sent), id))
    }
    progress.show(counts)
  }
}

function readLine(line: Line): ReturnType<typeof readChatConversation> | Fault {
  if (line.text === null) return new Fault(line.fault)
  try {
    return readChatConversation(line.text)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

function* batchesOf(messages: readonly ChatMessageInput[]): Generator<ChatMessageInput[]> {
  let batch: ChatMessageInput[] = []
  let bytes = 0
  for (const message of messages) {
    const own = Buffer.byteLength(JSON.stringify(message))
    if (batch.length > 0 && (batch.length === longestBatch || bytes + own > largestBatch)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(message)
    bytes += own
  }
  if (batch.length > 0) yield batch
}

/** @param sent how many messages of the conversation were sent before the refused batch */
function inWordsOfTheFile({ code, message }: Refusal, sent: number): string {
  const clientId = code === 'CONFLICT' ? /"import:(\d+)"/.exec(message)?.[1] : undefined
  if (clientId !== undefined) return `messages[${clientId}]: is stored already, with another content.`
  return message
    .replace(/^input\.conversationId\b/, '"id"')
    .replace(/^input\.messages\[(\d+)\]/, (_, index: string) => `messages[${sent + Number(index)}]`)
}
