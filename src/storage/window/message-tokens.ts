import type { TokenEncoding } from '../../entities/window-enums.ts'
import type { TokenCounter } from '../../tokens/token-counter.ts'
import { type Countable, readCountable, tokensOfFile } from '../../window/entries/countable.ts'
import type { Counted, Spoken } from '../../window/items/spoken.ts'

/** How many tokens a provider adds for each message, and for each call: about what OpenAI's formats take. */
const tokensOfMessage = 4
const tokensOfCall = 4

/** The messages with their tokens, in order. @throws ApiError UNAVAILABLE */
export async function countMessages<M extends Spoken>(
  counter: TokenCounter,
  encoding: TokenEncoding,
  messages: readonly M[],
): Promise<Counted<M>[]> {
  const countables = messages.map(readCountable)
  const texts = countables.flatMap((countable) => [...countable.texts, ...countable.reasoning])
  const counts = await counter.count(encoding, texts)
  let at = 0
  const take = (count: number) => {
    const end = at + count
    let sum = 0
    for (; at < end; at++) sum += counts[at] ?? 0
    return sum
  }
  return messages.map((message, index) => {
    const countable = countables[index] as Countable
    return {
      message,
      tokens: take(countable.texts.length) + around(countable),
      reasoningTokens: take(countable.reasoning.length),
    }
  })
}

/** The tokens of a system prompt, counted as a message. @throws ApiError UNAVAILABLE */
export async function countSystem(counter: TokenCounter, encoding: TokenEncoding, text: string): Promise<number> {
  const [tokens] = await counter.count(encoding, [text])
  return (tokens ?? 0) + tokensOfMessage
}

function around({ calls, files }: Countable): number {
  return tokensOfMessage + calls * tokensOfCall + files * tokensOfFile
}
