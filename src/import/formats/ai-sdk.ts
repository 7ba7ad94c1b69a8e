import { Fault } from '../fault.ts'
import { type Format, type ReadItem, readEach } from '../told/conversation.ts'
import { idOf } from '../told/made-id.ts'
import { fit, keepRest } from '../told/metadata.ts'
import { isRecord, type JsonRecord, textOf, withoutNothing } from '../told/record.ts'
import { takeTime } from '../told/time.ts'
import type { Told } from '../told/told.ts'
import { readUiParts } from './ai-sdk-parts.ts'

/**
 * UIMessages of the AI SDK: a list of them, or `{id, messages}`. They are stored as `saveChat` of @colloquy/client stores
 * them, so that `loadChat` gives them back. Source: the types of the package `ai`, versions 4 to 7.
 */
export const aiSdk: Format = {
  name: 'ai-sdk',
  fits: (value) => (Array.isArray(value) ? value : listOf(value)).some(isUiMessage),
  read(value, told) {
    const { id, title, messages, ...others }: JsonRecord = isRecord(value) ? value : { messages: value }
    if (!Array.isArray(messages)) throw new Fault('must be a list of UIMessages, or a JSON object with "messages".')
    const { time, rest } = takeTime(others, 'createdAt', 'created_at')
    const ids = new Set<string>()
    return {
      id: idOf(id, value),
      title: textOf(title),
      time,
      metadata: keepRest(
        'aiSdk',
        { ...rest, ...withoutNothing({ title: textOf(title) === null ? title : null }) },
        told,
      ),
      messages: readEach(messages, 'messages', told, (message) => readUiMessage(message, ids, told)),
      leaf: null,
    }
  },
}

function listOf(value: unknown): readonly unknown[] {
  return isRecord(value) && Array.isArray(value.messages) ? value.messages : []
}

function isUiMessage(value: unknown): boolean {
  return isRecord(value) && typeof value.role === 'string' && Array.isArray(value.parts)
}

const roles: Readonly<Record<string, string>> = { system: 'SYSTEM', user: 'USER', assistant: 'ASSISTANT' }

/** @param ids of the messages before; a message whose id is taken gets an id that is made from its place */
function readUiMessage(message: unknown, ids: Set<string>, told: Told): ReadItem {
  if (!isRecord(message)) throw new Fault(': must be an object.')
  const { id, role, parts, content, metadata, ...others } = message
  const roleName = typeof role === 'string' && Object.hasOwn(roles, role) ? roles[role] : undefined
  if (roleName === undefined) throw new Fault(`.role: ${JSON.stringify(role)} is none of system, user, assistant.`)
  if (!Array.isArray(parts) && typeof content !== 'string') throw new Fault('.parts: must be a list.')
  const { time, rest } = takeTime(others, 'createdAt')
  const read = Array.isArray(parts) ? readUiParts(parts) : content === '' ? [] : [{ type: 'text', text: content }]
  const own = textOf(id)
  const clientId = own === null || ids.has(own) ? null : own
  if (clientId !== null) ids.add(clientId)
  else if (own !== null) told.note('message id that another message of its conversation has: changed')
  return {
    clientId,
    time,
    input: {
      role: roleName,
      partsFormat: 'AI_SDK',
      ...(read.length === 0 ? { content: '' } : { parts: read }),
      ...keepMetadata(metadata, rest, told),
    },
  }
}

/**
 * The metadata of a UIMessage may be anything; that of the API is an object. Fields that no UIMessage has stand beside
 * the metadata, under `aiSdk`.
 */
function keepMetadata(metadata: unknown, rest: JsonRecord, told: Told): { metadata?: JsonRecord } {
  const hasRest = Object.keys(rest).length > 0
  if (metadata === undefined || metadata === null) return hasRest ? { metadata: keepRest('aiSdk', rest, told) } : {}
  const isOwn = isRecord(metadata) && !(Object.keys(metadata).length === 1 && 'aiSdk' in metadata)
  if (!hasRest) return { metadata: fit(isOwn ? metadata : { aiSdk: metadata }, told) }
  return { metadata: fit({ ...(isOwn ? metadata : { metadata }), aiSdk: rest }, told) }
}
