import type { ThreadOptions } from '@colloquy/client/assistant-ui'
import type { Session } from '../app/session.ts'

const longestTitle = 60

/** A conversation is titled by the first words that are said in it. Where the server has an assistant, it is to answer. */
export function newConversation({ settings }: Session): NonNullable<ThreadOptions['newConversation']> {
  return (text) => ({
    title: firstWords(text),
    metadata: settings.assistant === null ? {} : { assistant: 'built-in' },
  })
}

function firstWords(text: string): string | null {
  const line = text.trim().split('\n', 1)[0]?.replace(/\s+/g, ' ') ?? ''
  if (line.length <= longestTitle) return line === '' ? null : line
  const cut = line.slice(0, longestTitle)
  const end = cut.lastIndexOf(' ')
  return `${end > 20 ? cut.slice(0, end) : cut.replace(/[\uD800-\uDBFF]$/, '')} …`
}
