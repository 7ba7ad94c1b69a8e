import { readEntries } from '../window/entries/entry.ts'
import type { ApprovalRequest, Output, Reply, Said } from '../window/items/item.ts'
import type { Spoken } from '../window/items/spoken.ts'

/**
 * What of a message is searched: the name of its speaker, its text, and the text of results of tools. Neither the
 * model's reasoning nor the arguments of calls.
 */
export function searchedText(message: Spoken): string {
  const texts = spokenTexts(message)
  return message.name === null ? texts : `${message.name}: ${texts}`
}

function spokenTexts(message: Spoken): string {
  const texts: string[] = []
  const collect = (item: Said | ApprovalRequest | Output | Reply) => {
    if (item.kind === 'text' || item.kind === 'refusal') texts.push(item.text)
    else if (item.kind === 'result') item.output.forEach(collect)
  }
  for (const entry of readEntries(message)) {
    if ('items' in entry) entry.items.forEach(collect)
    else collect(entry.reply)
  }
  // A dialect of the caller's own may have its text in `content` alone, and a TOOL message may name no call.
  return texts.length === 0 ? (message.content ?? '') : texts.join('\n')
}
