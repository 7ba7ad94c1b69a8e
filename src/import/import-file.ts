import { Client, Unreachable } from './client.ts'
import { Fault, tooDeep } from './fault.ts'
import { FileError, type Item, readItems } from './file/items.ts'
import { parseConversation, requireExact } from './file/value.ts'
import { readConversation } from './formats/formats.ts'
import type { Report } from './report.ts'
import { send } from './send.ts'
import type { Settings } from './settings.ts'
import type { ReadConversation } from './told/conversation.ts'
import { Told } from './told/told.ts'

/** How many conversations are sent at once. The batches of one conversation are sent in order. */
const atOnce = 4

/**
 * Imports a file. Reading waits while enough conversations are being sent, so a file of any length needs the memory of
 * only a few conversations.
 *
 * @param format its name; null: each conversation is read in the format that it fits
 * @returns why the import ended early; otherwise null
 * @throws FileError, and the error of the system if the file cannot be read
 */
export async function importFile(
  path: string,
  format: string | null,
  settings: Settings,
  report: Report,
): Promise<string | null> {
  const abort = new AbortController()
  const client = new Client(settings, abort.signal)
  let failure: unknown = null
  const inFlight = new Map<string, Promise<void>>()

  let isAny = false
  for await (const item of readItems(path, (part) => report.read(part))) {
    isAny = true
    const conversation = read(item)
    if (conversation === null) continue
    const { id } = conversation
    // If two conversations of the file have one id, the earlier one is sent first. Otherwise chance would decide which
    // of them is refused.
    await inFlight.get(id)
    if (inFlight.size >= atOnce) await Promise.race(inFlight.values())
    if (failure !== null) break
    const sent = sendOne(item.place, conversation).catch((error: unknown) => {
      failure ??= error
      abort.abort()
    })
    inFlight.set(
      id,
      sent.then(() => void inFlight.delete(id)),
    )
  }
  if (!isAny) throw new FileError(`${path} has no conversation.`)
  await Promise.all(inFlight.values())
  if (failure !== null && !(failure instanceof Unreachable)) throw failure
  return failure instanceof Unreachable ? failure.message : null

  /** null: nothing of it can be stored, and that is told. */
  function read(item: Item): ReadConversation | null {
    const told = new Told()
    let conversation: ReadConversation | null = null
    let id: string | null = null
    try {
      if (item.text === null) throw new Fault(item.fault, 'not readable as text')
      const value = parseConversation(item.text)
      id = shownId(value)
      requireExact(item.text, value)
      conversation = readConversation(value, format, told)
      id = conversation.id
    } catch (error) {
      const { message, reason } = error instanceof Fault ? error : tooDeep(error)
      report.fault(item.place, id, message.replace(/^: /, ''), reason)
    }
    for (const { place, fault } of told.faults) report.fault(item.place, id, place + fault.message, fault.reason)
    report.note(told.notes, item.place)
    if (conversation === null) return null
    if (conversation.messages.length > 0) return conversation
    if (told.faults.length === 0)
      report.note(new Map([['conversation without a message to store: left out', 1]]), item.place)
    return null
  }

  async function sendOne(place: string, conversation: ReadConversation): Promise<void> {
    const { id } = conversation
    let isAnyStored = false
    try {
      await send(client, conversation, {
        stored: (replayed) => {
          isAnyStored = true
          report.stored(replayed)
        },
        refused: (fault) => report.fault(place, id, fault.message, fault.reason),
      })
      if (isAnyStored) report.conversation()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      report.fault(place, id, error.message, error.reason)
    }
  }
}

/** The id that a conversation has in its file, for a report. */
function shownId(value: unknown): string | null {
  const { id, uuid, conversation_id: conversationId } = (value ?? {}) as Record<string, unknown>
  const found = conversationId ?? uuid ?? id
  return typeof found === 'string' && found !== '' ? found : null
}
