import { randomBytes } from 'node:crypto'
import { ownerOf } from '../data.ts'
import type { Conversations, RequestTemplate } from './job.ts'

/** Writes one request after the other from a template. Everything in it is ASCII: its characters are its bytes. */
export function requestWriter(
  template: RequestTemplate,
  conversations: Conversations,
  cursors: readonly string[] = [],
): () => string {
  const head = `POST ${template.path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: application/json\r\n`
  const headers = parse(`${template.headers.map((line) => `${line}\r\n`).join('')}content-length: `)
  const body = parse(template.body)
  const run = randomBytes(6).toString('hex')
  let written = 0
  return () => {
    written += 1
    const conversation = conversations.first + Math.floor(Math.random() * conversations.count)
    const values: Values = {
      user: conversations.only?.user ?? ownerOf(conversation),
      conversation: conversations.only?.id ?? String(conversation),
      'client-id': `${run}-${written}`,
      content: contents[written % contents.length] as string,
      cursor: cursors[written % cursors.length] ?? '',
    }
    const text = fill(body, values)
    return `${head}${fill(headers, values)}${text.length}\r\n\r\n${text}`
  }
}

/** Fills one template once, for what is sent seldom. */
export function fillOnce(template: string, user: string, conversation: string): string {
  return template.replaceAll('<user>', user).replaceAll('<conversation>', conversation)
}

type Name = 'user' | 'conversation' | 'client-id' | 'content' | 'cursor'
type Values = Record<Name, string>

/** Text and names, in turns. */
function parse(template: string): string[] {
  return template.split(/<(user|conversation|client-id|content|cursor)>/)
}

function fill(parts: readonly string[], values: Values): string {
  let text = ''
  for (let index = 0; index < parts.length; index++) {
    text += index % 2 === 0 ? parts[index] : values[parts[index] as Name]
  }
  return text
}

/** Like the data: half of them short, half of them up to 1,500 characters. */
const contents = Array.from({ length: 64 }, (_, index) => {
  const length = index % 2 === 0 ? 20 + ((index * 37) % 200) : 100 + ((index * 331) % 1400)
  return Array.from({ length: 300 }, (_, word) => `word${word}`)
    .join(' ')
    .slice(0, length)
})
