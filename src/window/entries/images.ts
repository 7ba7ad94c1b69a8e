import { isImage } from '../items/file-source.ts'
import type { ApprovalRequest, File, Output, Said, Text } from '../items/item.ts'
import type { Step } from '../items/step.ts'
import { tokensOfFile } from './countable.ts'
import type { Entry } from './entry.ts'

/** Stands in a window in the place of a picture that was left out, so that the model knows of it. */
export const leftOutText = '[picture left out]'
/** Its tokens, in both encodings. */
const leftOutTokens = 5

/** The pictures that messages and results show. */
export function countImages(shown: readonly (Step | Entry)[]): number {
  return shown.reduce((sum, one) => {
    const items = 'items' in one ? one.items : []
    const results =
      'answers' in one
        ? one.answers.map(({ result }) => result)
        : 'reply' in one && one.reply.kind === 'result'
          ? [one.reply]
          : []
    return sum + [...items, ...results.flatMap(({ output }) => output)].filter(isPicture).length
  }, 0)
}

/**
 * How many of the oldest pictures of a window are left out. They go in blocks of a quarter of the limit: then most
 * windows of a growing conversation begin as the window before did, and the provider's cache holds.
 */
export function imagesLeftOut(images: number, most: number): number {
  const block = blockOf(most)
  return images <= most ? 0 : Math.min(Math.ceil((images - most) / block) * block, images)
}

function blockOf(most: number): number {
  return Math.max(Math.floor(most / 4), 1)
}

/** How many tokens less a window has than its messages together. */
export function tokensLeftOut(images: number, most: number): number {
  return imagesLeftOut(images, most) * (tokensOfFile - leftOutTokens)
}

/** The most that `tokensLeftOut` can become while older pictures come in, less what these pictures add. */
export function mostTokensLeftOut(images: number, most: number): number {
  const fewestKept = Math.min(images, Math.max(most - blockOf(most) + 1, 0))
  return (images - fewestKept) * tokensOfFile
}

/** @param count how many pictures to leave out, the oldest first */
export function leaveOutImages(steps: readonly Step[], count: number): readonly Step[] {
  let left = count
  const replace = <T extends Said | Output>(item: T): T | Text => {
    if (left === 0 || !isPicture(item)) return item
    left--
    return { kind: 'text', text: leftOutText, raw: { ...item.raw, part: null, insteadOf: item.raw.part } }
  }
  return steps.map((step) => {
    if (left === 0) return step
    const items = step.items.map(replace)
    const answers = step.answers.map((answer) => {
      return { ...answer, result: { ...answer.result, output: answer.result.output.map(replace) } }
    })
    return { ...step, items, answers }
  })
}

function isPicture(item: Said | ApprovalRequest | Output): item is File {
  return item.kind === 'file' && isImage(item)
}
