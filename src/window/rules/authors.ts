import type { Said } from '../items/item.ts'
import type { Spoken } from '../items/spoken.ts'
import type { Step } from '../items/step.ts'

/** The most characters of a name, as OpenAI takes them. */
const mostCharacters = 64

/** What stands before the words of somebody. */
export function authorPrefix(author: string): string {
  return `${cut(author.replaceAll(/[\s\p{Cc}]+/gu, ' '))}: `
}

/** A name as the field `name` of OpenAI's chat completions takes it: `^[^\s<|\\/>]+$` (error of the API, read 2026-11). */
function authorField(author: string): string {
  return cut(author.replaceAll(/[\s\p{Cc}<|\\/>]+/gu, '_'))
}

/** No half of a pair of UTF-16 units is left. */
function cut(name: string): string {
  return name.slice(0, mostCharacters).replace(/[\ud800-\udbff]$/, '')
}

/**
 * Says in messages who wrote them: in the field `name` if the dialect `hasField`, and otherwise before the words.
 *
 * @param authors of the messages that are to say it
 */
export function withAuthors(steps: readonly Step[], authors: ReadonlyMap<Spoken, string>, hasField: boolean): Step[] {
  const said = new Set<Spoken>()
  return steps.map((step) => {
    const { message, items } = step
    const author = authors.get(message)
    if (author === undefined) return step
    if (hasField) return { ...step, message: { ...message, name: authorField(author) } }
    if (said.has(message)) return step
    said.add(message)
    return { ...step, items: withPrefix(items, authorPrefix(author)) }
  })
}

function withPrefix(items: readonly Said[], prefix: string): Said[] {
  const words = items.find((item) => item.kind === 'text')
  if (words === undefined) return [{ kind: 'text', text: prefix.trim(), raw: null }, ...items]
  return items.map((item) => (item === words ? { kind: 'text', text: prefix + words.text, raw: null } : item))
}
