import { Fault, tooDeep } from '../fault.ts'

/** What the person who imports is told of one conversation. */
export class Told {
  /** What was left out because it is faulty, with its place in the conversation. */
  readonly faults: { readonly place: string; readonly fault: Fault }[] = []
  /** How often something without fault was left out or changed its form, by what it is. */
  readonly notes = new Map<string, number>()

  /** Does something for the message at a place. A Fault is told, and leaves only this message out. */
  attempt(place: string, read: () => void): void {
    try {
      read()
    } catch (error) {
      this.faults.push({ place, fault: error instanceof Fault ? error : tooDeep(error) })
    }
  }

  note(what: string, count = 1): void {
    if (count > 0) this.notes.set(what, (this.notes.get(what) ?? 0) + count)
  }
}
