import type { JsonRecord } from '../../entities/json.ts'
import type { Call } from './item.ts'
import { isRecord } from './json.ts'

/** For providers that take the text that the model wrote: byte for byte, and an empty one as an empty object. */
export function argumentsText(call: Call): string {
  return call.type !== 'custom' && call.arguments.trim() === '' ? '{}' : call.arguments
}

/** For providers that take an object: what is none goes as `{ "arguments": "…" }`, so that the model sees what it wrote. */
export function argumentsObject(call: Call): JsonRecord {
  if (call.arguments.trim() === '') return {}
  const value = call.type === 'custom' ? null : parse(call.arguments)
  return isRecord(value) ? value : { arguments: call.arguments }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
