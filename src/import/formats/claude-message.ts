import { Fault } from '../fault.ts'
import type { Input, ReadMessage } from '../told/conversation.ts'
import { keepRest } from '../told/metadata.ts'
import { isRecord, type JsonRecord, textOf, withoutNothing } from '../told/record.ts'
import { takeTime } from '../told/time.ts'
import type { Told } from '../told/told.ts'

type Read = Pick<ReadMessage, 'input' | 'time'>

/**
 * Reads one message of Claude's export. A message of the assistant has all that happened in its turn: it becomes a
 * message of the assistant up to a result, a TOOL message for each result, and so on. Blocks keep the fields that the
 * Messages API takes, so that a model can read them again; other fields go into the metadata.
 *
 * @param uuid of the message, from which ids of calls are made that have none
 * @throws Fault; its sentence begins with the path in the message
 */
export function readClaudeMessage(uuid: string, message: unknown, told: Told): Read[] {
  if (!isRecord(message)) throw new Fault(': must be an object.')
  const { uuid: _uuid, sender, text, content, attachments, files, parent_message_uuid: _parent, ...others } = message
  const role = sender === 'human' ? 'USER' : sender === 'assistant' ? 'ASSISTANT' : null
  if (role === null) throw new Fault(`.sender: ${JSON.stringify(sender)} is none of human, assistant.`)
  const { time, rest } = takeTime(others, 'created_at')
  const blocks = blocksOf(content, text)
  const { documents, references } = readFiles(attachments, files, told)
  const segments = segmentsOf([...documents, ...blocks], uuid)
  return segments.map((segment, index) => {
    const kept = index === 0 ? { ...rest, ...references } : {}
    const blocks = segment.blocks.flatMap(({ rest }) => (Object.keys(rest).length === 0 ? [] : [rest]))
    const metadata = keepRest('claude', { ...kept, ...(blocks.length === 0 ? {} : { blocks }) }, told)
    return { time, input: { ...inputOf(segment, role), ...(Object.keys(metadata).length === 0 ? {} : { metadata }) } }
  })
}

/** Newer exports have all in `content`, older ones only in `text`. */
function blocksOf(content: unknown, text: unknown): Block[] {
  const list = Array.isArray(content) ? content : []
  const isText = list.length === 0 && typeof text === 'string' && text !== ''
  return (isText ? [{ type: 'text', text }] : list).map((block) => readBlock(block))
}

/** A block of the export. */
interface Block {
  /** As the Messages API takes it; null: the API has no such block. */
  readonly part: JsonRecord | null
  /** The fields that the Messages API does not take. */
  readonly rest: JsonRecord
}

/** The fields of blocks that the Messages API takes. Source: the types of the package `@anthropic-ai/sdk`, 2026-11. */
const fields: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
  tool_use: ['id', 'name', 'input'],
  tool_result: ['tool_use_id', 'content', 'is_error'],
  image: ['source'],
  document: ['source', 'title', 'context'],
}

function readBlock(block: unknown): Block {
  if (!isRecord(block)) return { part: null, rest: { block } }
  const { type } = block
  if (type === 'voice_note' && typeof block.text === 'string') {
    const { text, ...rest } = block
    return { part: { type: 'text', text }, rest: withoutNothing(rest) }
  }
  const taken = typeof type === 'string' && Object.hasOwn(fields, type) ? fields[type] : undefined
  if (taken === undefined) return { part: null, rest: withoutNothing(block) }
  const part: JsonRecord = { type }
  const rest: JsonRecord = {}
  for (const [key, value] of Object.entries(block)) {
    if (key === 'type' || value === null || value === undefined) continue
    if (taken.includes(key)) part[key] = value
    else rest[key] = value
  }
  if (type === 'tool_result') part.content = readOutput(part.content)
  return { part, rest: withoutNothing(rest) }
}

/** What a tool answered. A block that the Messages API does not take, such as a page that a search found, becomes a text. */
function readOutput(content: unknown): unknown[] {
  if (content === undefined) return []
  return (Array.isArray(content) ? content : [content]).map((one) => {
    if (typeof one === 'string') return { type: 'text', text: one }
    if (isRecord(one) && one.type === 'text' && typeof one.text === 'string') return { type: 'text', text: one.text }
    if (isRecord(one) && one.type === 'image' && isRecord(one.source)) return { type: 'image', source: one.source }
    return { type: 'text', text: JSON.stringify(one) }
  })
}

/** What becomes one message: a result, or blocks without a result. */
interface Segment {
  readonly result: JsonRecord | null
  readonly toolName: string | null
  readonly blocks: readonly Block[]
}

/** A call without an id gets one that is made from its place, and so does its result. */
function segmentsOf(blocks: readonly Block[], uuid: string): Segment[] {
  const segments: Segment[] = []
  const open: { readonly id: string; readonly name: string | null }[] = []
  let said: Block[] = []
  const endSaid = () => {
    if (said.length > 0) segments.push({ result: null, toolName: null, blocks: said })
    said = []
  }
  for (const [index, block] of blocks.entries()) {
    const { part } = block
    if (part?.type === 'tool_use') {
      part.id = textOf(part.id) ?? `call_${index}_${uuid}`.slice(0, 40)
      part.input = isRecord(part.input) ? part.input : part.input === undefined ? {} : { arguments: part.input }
      open.push({ id: String(part.id), name: textOf(part.name) })
    }
    if (part?.type !== 'tool_result') {
      said.push(block)
      continue
    }
    endSaid()
    const call = open.find(({ id }) => textOf(part.tool_use_id) === null || id === part.tool_use_id)
    if (call !== undefined) open.splice(open.indexOf(call), 1)
    part.tool_use_id = textOf(part.tool_use_id) ?? call?.id ?? `call_${index}_${uuid}`.slice(0, 40)
    segments.push({ result: part, toolName: call?.name ?? textOf(block.rest.name), blocks: [block] })
  }
  endSaid()
  return segments.length === 0 ? [{ result: null, toolName: null, blocks: [] }] : segments
}

function inputOf({ result, toolName, blocks }: Segment, role: 'USER' | 'ASSISTANT'): Input {
  if (result !== null) return resultOf(result, toolName)
  const parts = blocks.map(({ part }) => part).filter((part) => part !== null)
  const [first, ...rest] = parts
  if (first === undefined) return { role, content: '' }
  if (first.type === 'text' && rest.length === 0) return { role, content: first.text }
  const toolCalls = parts.flatMap(({ type, id, name, input }) =>
    type === 'tool_use' ? [{ callId: id, name, arguments: JSON.stringify(input) }] : [],
  )
  return { role, parts, partsFormat: 'ANTHROPIC', ...(toolCalls.length === 0 ? {} : { toolCalls }) }
}

function resultOf(result: JsonRecord, toolName: string | null): Input {
  const output = result.content as JsonRecord[]
  const [first, ...rest] = output
  const said = { role: 'TOOL', toolName, toolCallId: result.tool_use_id }
  const failed = result.is_error === true ? { toolError: true } : {}
  if (first === undefined) return { ...said, ...failed, content: '' }
  if (first.type === 'text' && rest.length === 0) return { ...said, ...failed, content: first.text }
  return { ...said, ...failed, parts: output, partsFormat: 'ANTHROPIC' }
}

/**
 * The text of an attachment is in the export: it becomes a document, which a model reads. The names of other files are
 * kept.
 */
function readFiles(attachments: unknown, files: unknown, told: Told): { documents: Block[]; references: JsonRecord } {
  const documents: Block[] = []
  const references: unknown[] = []
  for (const attachment of Array.isArray(attachments) ? attachments : []) {
    const { extracted_content: extracted, ...about }: JsonRecord = isRecord(attachment) ? attachment : { attachment }
    const text = textOf(extracted)
    references.push(about)
    if (text === null) continue
    const title = textOf(about.file_name)
    const source = { type: 'text', media_type: 'text/plain', data: text }
    documents.push({ part: { type: 'document', source, ...(title === null ? {} : { title }) }, rest: {} })
  }
  const others = Array.isArray(files) ? files : []
  told.note('file: its name is kept, because the file is not in the export', references.length - documents.length)
  told.note('file: its name is kept, because the file is not in the export', others.length)
  return {
    documents,
    references: {
      ...(references.length === 0 ? {} : { attachments: references }),
      ...(others.length === 0 ? {} : { files: others }),
    },
  }
}
