import { hash, timingSafeEqual } from 'node:crypto'

/**
 * The name of the backend that has this key; null if none has it. The time does not show how much of a key is right.
 */
export function findServiceKey(keys: ReadonlyMap<string, string>, key: string): string | null {
  const given = Buffer.from(hash('sha256', key, 'hex'), 'hex')
  let found: string | null = null
  for (const [name, hex] of keys) {
    if (timingSafeEqual(given, Buffer.from(hex, 'hex'))) found = name
  }
  return found
}
