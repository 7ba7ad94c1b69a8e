import { parentPort } from 'node:worker_threads'
import type { TokenEncoding } from '../entities/window-enums.ts'
import { cutRuns } from './cut-runs.ts'
import type { Batch } from './token-counter.ts'

/** The thread of a `TokenCounter`. It gets one batch at a time, and answers with the tokens of each text. */

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
  // The encoder remembers how it cut words into tokens. A full memory took ten times the time that it saved.
  encoder.clearMergeCache()
})

/** The tables of an encoding need 60 MB or more, so an encoding is loaded only when somebody asks for it. */
async function load(encoding: TokenEncoding): Promise<Encoder> {
  const { default: encoder } = await imports[encoding]()
  encoders.set(encoding, encoder)
  return encoder
}

/** A text that looks like a special token counts as text: people write `<|endoftext|>` too. */
const noneIsSpecial = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }

function countTokens(encoder: Encoder, text: string): number {
  return cutRuns(text).reduce((sum, piece) => sum + encoder.countTokens(piece, noneIsSpecial), 0)
}
