import type { JsonRecord } from '../../entities/json.ts'
import type { Call } from './item.ts'
import { isRecord } from './json.ts'

/** For providers that take arguments as text: the model's text, byte for byte; an empty text becomes `{}`. */
export function argumentsText(call: Call): string {
  return call.type !== 'custom' && call.arguments.trim() === '' ? '{}' : call.arguments
}

/**
 * For providers that take arguments as an object. A text that is no JSON object becomes `{ "arguments": "…" }`, so that
 * the model sees what it wrote.
 */
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
