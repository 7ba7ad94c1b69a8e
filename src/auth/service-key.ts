import { hash, timingSafeEqual } from 'node:crypto'
import type { ServiceKey } from '../config.ts'

/** A backend, and what its key lets it do. */
export interface Backend extends Omit<ServiceKey, 'hash'> {
  readonly name: string
}

/** The backend that has this key; null if none has it. The time does not show how much of a key is right. */
export function findServiceKey(keys: ReadonlyMap<string, ServiceKey>, key: string): Backend | null {
  const given = Buffer.from(hash('sha256', key, 'hex'), 'hex')
  let found: Backend | null = null
  for (const [name, { hash: hex, ...may }] of keys) {
    if (timingSafeEqual(given, Buffer.from(hex, 'hex'))) found = { name, ...may }
  }
  return found
}
