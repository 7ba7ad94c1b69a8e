import type { ApprovalRequest, Output, Reply, Said } from '../items/item.ts'
import type { Spoken } from '../items/spoken.ts'
import { readEntries } from './entry.ts'

/** What a model reads of a message, in any format. A message's token count depends on nothing else. */
export interface Countable {
  /** Texts, the names and arguments of functions, results, and the JSON of all parts that only one dialect knows. */
  readonly texts: readonly string[]
  readonly reasoning: readonly string[]
  readonly calls: number
  /** Pictures and other files. */
  readonly files: number
}

/**
 * The tokens of a picture or another file. Its bytes do not tell them, and the server does not fetch files from
 * elsewhere.
 */
export const tokensOfFile = 1_000

export function readCountable(message: Spoken): Countable {
  const texts: string[] = []
  const reasoning: string[] = []
  let calls = 0
  let files = 0
  const count = (item: Said | ApprovalRequest | Output | Reply) => {
    if (item.kind === 'text' || item.kind === 'refusal') texts.push(item.text)
    else if (item.kind === 'reasoning') reasoning.push(item.text)
    else if (item.kind === 'file') files++
    else if (item.kind === 'result') item.output.forEach(count)
    else if (item.kind === 'call' && item.native === undefined) {
      texts.push(item.name, item.arguments)
      calls++
    } else texts.push(JSON.stringify(item.raw?.part))
  }
  for (const entry of readEntries(message)) {
    if ('items' in entry) entry.items.forEach(count)
    else count(entry.reply)
  }
  return { texts, reasoning, calls, files }
}
