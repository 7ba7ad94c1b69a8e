import type { Output, Said } from '../items/item.ts'
import type { Spoken } from '../items/spoken.ts'
import { readEntries } from './entry.ts'

/** What a model reads of a message, whatever the format: all that its token count depends on. */
export interface Countable {
  /** Texts, names of calls and their arguments, results, and parts of kinds that we do not know as JSON. */
  readonly texts: readonly string[]
  readonly reasoning: readonly string[]
  readonly calls: number
  /** Pictures and other files. */
  readonly files: number
}

export function readCountable(message: Spoken): Countable {
  const texts: string[] = []
  const reasoning: string[] = []
  let calls = 0
  let files = 0
  const count = (item: Said | Output) => {
    if (item.kind === 'text' || item.kind === 'refusal') texts.push(item.text)
    else if (item.kind === 'reasoning') reasoning.push(item.text)
    else if (item.kind === 'file') files++
    else if (item.kind === 'other') texts.push(JSON.stringify(item.raw.part))
    else {
      texts.push(item.name, item.arguments)
      calls++
    }
  }
  for (const entry of readEntries(message)) {
    if ('items' in entry) entry.items.forEach(count)
    else entry.result.output.forEach(count)
  }
  return { texts, reasoning, calls, files }
}
