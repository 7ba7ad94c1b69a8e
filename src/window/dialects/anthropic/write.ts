import type { JsonRecord } from '../../../entities/json.ts'
import { argumentsObject } from '../../items/arguments.ts'
import { isImage, textOfFile } from '../../items/file-source.ts'
import {
  type Call,
  type File,
  isOutput,
  type Other,
  type Output,
  ownPart,
  type Reasoning,
  type Said,
} from '../../items/item.ts'
import { isRecord } from '../../items/json.ts'
import type { Answer } from '../../items/step.ts'
import type { Dialect } from '../dialect.ts'
import { readAnthropic } from './read.ts'

interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: object[]
}

/**
 * The API wants roles to alternate: neighbours of one role become one message. It refuses texts of white space only.
 */
export const anthropic: Dialect = {
  parts: 'ANTHROPIC',
  takes: (item, role) => {
    if (item.kind === 'file') return role === 'USER' && writeFile(item) !== null
    if (item.kind === 'other') return isUnknownBlock(item)
    if (item.kind === 'reasoning') return isSigned(item)
    return (item.kind !== 'text' && item.kind !== 'refusal') || isText(item.text)
  },
  takesOutput: (item) => {
    if (item.kind === 'other') return isUnknownBlock(item)
    return item.kind === 'file' ? writeFile(item) !== null : isText(item.text)
  },
  callIds: { maxLength: 64, unfit: /[^a-zA-Z0-9_-]/g, mayRepeat: false },
  // Models with a context window of 200,000 tokens take so many, others 600. Source: the page on vision, 2026-11.
  maxImages: 100,
  write(steps) {
    const system: object[] = []
    const messages: Turn[] = []
    const push = (role: Turn['role'], blocks: readonly object[]) => {
      const last = messages.at(-1)
      if (last?.role === role) for (const block of blocks) last.content.push(block)
      else if (blocks.length > 0) messages.push({ role, content: [...blocks] })
    }
    for (const { message, items, answers } of steps) {
      const blocks = items.flatMap(writeItem)
      if (message.role === 'SYSTEM' || message.role === 'DEVELOPER') system.push(...blocks)
      else push(message.role === 'ASSISTANT' ? 'assistant' : 'user', blocks)
      push('user', answers.map(writeAnswer))
    }
    return { system: system.length === 0 ? null : system, messages: withoutLastSpace(messages) }
  },
}

/**
 * The API refuses thoughts that it cannot verify: `signature` and `data` come from the API, and go back unchanged.
 * https://platform.claude.com/docs/en/build-with-claude/extended-thinking, read 2026-11.
 */
function isSigned(item: Reasoning): boolean {
  const { type, signature, data } = ownPart(item, 'ANTHROPIC') ?? {}
  const proof = type === 'thinking' ? signature : data
  return typeof proof === 'string' && proof !== ''
}

/** A block of a kind that is read is here only if it lacks what it needs, such as its id. */
function isUnknownBlock(item: Other): boolean {
  const { type } = ownPart(item, 'ANTHROPIC') ?? {}
  return (
    typeof type === 'string' && type !== '' && !/^(text|image|document|thinking|(.*_)?tool_(use|result))$/.test(type)
  )
}

function isText(text: string): boolean {
  return text.trim() !== ''
}

function writeItem(item: Said | Output): object[] {
  if (item.kind === 'call') return [writeCall(item)]
  if (item.kind === 'file') return [writeFile(item) ?? []].flat()
  const own = ownPart(item, 'ANTHROPIC')
  if (own !== null) return [own]
  return item.kind === 'text' || item.kind === 'refusal' ? [{ type: 'text', text: item.text }] : []
}

function writeCall(call: Call): object {
  const own = ownPart(call, 'ANTHROPIC') ?? {}
  return { ...own, type: 'tool_use', id: call.callId, name: call.name, input: argumentsObject(call) }
}

/**
 * Pictures and PDFs, by URL or by bytes, and texts, which the API takes as plain text only. A picture is of one of the
 * four `imageTypes`; the type of a picture at a URL may be unknown.
 *
 * Source: https://platform.claude.com/docs/en/build-with-claude/vision and .../files, and the types of the SDK, 2026-11.
 */
function writeFile(file: File): object | null {
  const own = ownPart(file, 'ANTHROPIC')
  if (file.source.kind === 'provider') return own === null ? null : writeOwn(own)
  const text = textOfFile(file)
  const source =
    text === null ? writeSource(file) : isText(text) ? { type: 'text', media_type: 'text/plain', data: text } : null
  if (source === null) return null
  const type = isImage(file) ? 'image' : 'document'
  const title = isImage(file) || file.filename === null ? {} : { title: file.filename }
  return { ...title, ...(own?.type === type ? own : { type }), source }
}

/** A document may be made of texts and pictures: it goes as a whole, with its pictures as the API takes them. */
function writeOwn(own: JsonRecord): object | null {
  const content = isRecord(own.source) && own.source.type === 'content' ? own.source.content : null
  if (!Array.isArray(content) || !isRecord(own.source)) return own
  const written = readAnthropic(content).flatMap((item) => (isOutput(item) ? writeItem(item) : []))
  const isWhole =
    written.length === content.length && written.every((block) => !isRecord(block) || block.type !== 'document')
  return isWhole ? { ...own, source: { ...own.source, content: written } } : null
}

function writeSource({ source, mediaType }: File): object | null {
  const isTaken = imageTypes.has(mediaType) || mediaType === 'application/pdf'
  if (source.kind === 'url') return isTaken || mediaType === 'image/*' ? { type: 'url', url: source.url } : null
  return source.kind === 'bytes' && isTaken ? { type: 'base64', media_type: mediaType, data: source.base64 } : null
}

const imageTypes = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

/** The API refuses a failed result without content, and content that is empty. */
function writeAnswer({ result }: Answer): object {
  const { content: _, ...own } = ownPart(result, 'ANTHROPIC') ?? {}
  const written = { ...own, type: 'tool_result', tool_use_id: result.callId }
  const content = writeOutput(result.output)
  if (result.isError) return { ...written, is_error: true, content: content ?? 'The tool failed.' }
  return content === null ? written : { ...written, content }
}

function writeOutput(output: readonly Output[]): string | object[] | null {
  const [first, ...rest] = output
  if (first === undefined) return null
  const isOne = first.kind === 'text' && rest.length === 0 && ownPart(first, 'ANTHROPIC') === null
  return isOne ? first.text : output.flatMap(writeItem)
}

/** The API refuses a window whose last message is the assistant's and ends in white space. */
function withoutLastSpace(messages: readonly Turn[]): Turn[] {
  const last = messages.at(-1)
  const block = last?.content.at(-1)
  if (last?.role !== 'assistant' || block === undefined || !('text' in block)) return [...messages]
  const content = [...last.content.slice(0, -1), { ...block, text: String(block.text).trimEnd() }]
  return [...messages.slice(0, -1), { ...last, content }]
}
