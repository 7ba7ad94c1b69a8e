import { hash } from 'node:crypto'
import { Fault } from '../fault.ts'

/**
 * The id of a conversation. A conversation that has none gets an id that is made from its content: so it is the same
 * conversation when the file is imported again, wherever it stands in the file.
 *
 * @param id as the file has it; null is the same as absent
 * @throws Fault
 */
export function idOf(id: unknown, content: unknown): string {
  if (id === undefined || id === null) return `import-${hash('sha256', JSON.stringify(content), 'hex').slice(0, 32)}`
  if (typeof id === 'number') return String(id)
  if (typeof id !== 'string' || id === '') throw new Fault('"id" must be a text that is not empty.')
  return id
}

/** The calls of one path that have no result yet, in formats whose results do not name their call. */
export class OpenCalls {
  readonly #open: { readonly callId: string; readonly name: string }[] = []

  add(callId: string, name: string): void {
    this.#open.push({ callId, name })
  }

  /**
   * The oldest open call.
   *
   * @param name of its tool; null: any
   */
  answer(name: string | null): { readonly callId: string; readonly name: string } | null {
    const at = this.#open.findIndex((call) => name === null || call.name === name)
    return at === -1 ? null : (this.#open.splice(at, 1)[0] ?? null)
  }
}
