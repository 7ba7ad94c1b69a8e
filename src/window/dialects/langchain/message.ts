import type { JsonRecord } from '../../../entities/json.ts'
import { asText, isRecord, textOfJson } from '../../items/json.ts'

/** A whole message, in whatever form it was stored. */
export interface WholeMessage {
  readonly kind: Kind
  readonly data: JsonRecord
}

type Kind = 'human' | 'ai' | 'system' | 'tool' | 'function' | 'generic' | 'remove'

/**
 * The forms of @langchain/core 1.4, and of LangChain for Python: `{ type, data }` of `toDict`, `{ lc, id, kwargs }` of
 * `toJSON`, and the message itself with its `type` or its `role`. A content block is none of these.
 */
export function asMessage(part: JsonRecord): WholeMessage | null {
  const { type, data, id, kwargs, role } = part
  if (type === 'constructor' && Array.isArray(id) && isRecord(kwargs)) return whole(id.at(-1), kwargs)
  if (isRecord(data)) return whole(type, data)
  return contentKeys.some((key) => key in part) || type === 'remove' ? whole(type ?? role, part) : null
}

function whole(name: unknown, data: JsonRecord): WholeMessage | null {
  const kind = kinds.get((asText(name) ?? '').replace(/Message(Chunk)?$/, '').toLowerCase())
  return kind === undefined ? null : { kind, data }
}

const kinds: ReadonlyMap<string, Kind> = new Map([
  ['human', 'human'],
  ['user', 'human'],
  ['ai', 'ai'],
  ['assistant', 'ai'],
  ['system', 'system'],
  ['developer', 'system'],
  ['tool', 'tool'],
  ['function', 'function'],
  ['generic', 'generic'],
  ['chat', 'generic'],
  ['remove', 'remove'],
])

/** `text` is the content in a form of 2023. */
const contentKeys = ['content', 'content_blocks', 'contentBlocks', 'text']

/** A text or content blocks; the first of them that is not empty. */
export function contentOf(data: JsonRecord): readonly unknown[] {
  const contents = contentKeys.map((key) => data[key])
  const content = contents.find((value) => Array.isArray(value) && value.length > 0) ?? contents.find(asText)
  return Array.isArray(content) ? content : typeof content === 'string' ? [content] : []
}

export interface MessageCall {
  /** null: no result can belong to such a call. */
  readonly callId: string | null
  readonly name: string
  readonly arguments: string
}

/**
 * The calls of a message, each once. `tool_calls` come first; the other fields have what a stream had sent so far, what
 * is no JSON, and what LangChain stored before it had `tool_calls`.
 */
export function callsOf(data: JsonRecord): MessageCall[] {
  const old = isRecord(data.additional_kwargs) ? data.additional_kwargs : {}
  const all = [
    ...list(data.tool_calls),
    ...list(data.invalid_tool_calls),
    ...joinChunks(list(data.tool_call_chunks).map((chunk): JsonRecord => ({ ...chunk, type: 'tool_call_chunk' }))),
    ...list(old.tool_calls),
  ].map(readCall)
  // A call of 2023 had no id: its result names the function.
  if (all.length === 0 && isRecord(old.function_call)) {
    const call = readCall(old.function_call)
    return [{ ...call, callId: call.name }]
  }
  const [named, unnamed] = [all.filter(({ callId }) => callId !== null), all.filter(({ callId }) => callId === null)]
  const groups = [...Map.groupBy(named, ({ callId }) => callId).values()]
  return [...groups.flatMap((group) => group[0] ?? []), ...unnamed]
}

export function hasArguments({ arguments: text }: { readonly arguments: string }): boolean {
  return !/^\s*(\{\s*\})?\s*$/.test(text)
}

function readCall(call: JsonRecord): MessageCall {
  const called = isRecord(call.function) ? call.function : call
  const given = called.args ?? called.arguments
  return {
    callId: asText(call.id) || null,
    name: asText(called.name) ?? '',
    arguments: given === undefined ? '' : textOfJson(given),
  }
}

function list(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

/**
 * Puts together the pieces of streamed calls: a piece without an id, or with the id of the piece before, goes on with
 * the call of its `index`. Other parts stay as they are.
 */
export function joinChunks<T>(parts: readonly T[]): (T | JsonRecord)[] {
  const joined: (T | JsonRecord)[] = []
  for (const part of parts) {
    const piece = isRecord(part) && (part.type === 'input_json_delta' || part.type === 'tool_call_chunk') ? part : null
    const at = piece === null ? -1 : joined.findLastIndex((before) => isRecord(before) && goesOn(piece, before))
    if (piece === null || at === -1) joined.push(part)
    else joined[at] = extend(joined[at] as JsonRecord, piece)
  }
  return joined
}

function goesOn(piece: JsonRecord, before: JsonRecord): boolean {
  const isCall = piece.type === 'input_json_delta' ? before.type === 'tool_use' : before.type === piece.type
  return isCall && (piece.id ? piece.id === before.id : piece.index === before.index)
}

function extend(before: JsonRecord, piece: JsonRecord): JsonRecord {
  const key = piece.type === 'input_json_delta' ? 'input' : 'args'
  return { ...before, [key]: (asText(before[key]) ?? '') + (asText(piece[key]) ?? '') }
}
