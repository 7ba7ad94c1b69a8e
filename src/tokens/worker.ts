import { parentPort } from 'node:worker_threads'
import type { TokenEncoding } from '../entities/window-enums.ts'
import { cutRuns } from './cut-runs.ts'
import type { Batch } from './token-counter.ts'

/** The thread of a `TokenCounter`: it is sent one batch at a time, and answers the tokens of each of its texts. */

interface Encoder {
  countTokens(text: string, options: { allowedSpecial: Set<string>; disallowedSpecial: Set<string> }): number
  clearMergeCache(): void
}

const imports: Record<TokenEncoding, () => Promise<{ default: Encoder }>> = {
  O200K_BASE: () => import('gpt-tokenizer/encoding/o200k_base'),
  CL100K_BASE: () => import('gpt-tokenizer/encoding/cl100k_base'),
}

const encoders = new Map<TokenEncoding, Encoder>()

parentPort?.on('message', async ({ encoding, texts }: Batch) => {
  const encoder = encoders.get(encoding) ?? (await load(encoding))
  parentPort?.postMessage(texts.map((text) => countTokens(encoder, text)))
  // What it remembers of words that are no token themselves. Full, its memory takes many times what it saves.
  encoder.clearMergeCache()
})

/** The tables of an encoding take 60 MB and more, so only those that are asked for are there. */
async function load(encoding: TokenEncoding): Promise<Encoder> {
  const { default: encoder } = await imports[encoding]()
  encoders.set(encoding, encoder)
  return encoder
}

/** What looks like a special token is text: people write `<|endoftext|>` too. */
const noneIsSpecial = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }

function countTokens(encoder: Encoder, text: string): number {
  return cutRuns(text).reduce((sum, piece) => sum + encoder.countTokens(piece, noneIsSpecial), 0)
}
