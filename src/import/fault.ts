/** What keeps a message or a conversation out, for the person who made the file. */
export class Fault extends Error {
  /** Faults of one reason are counted together at the end. */
  readonly reason: string

  constructor(sentence: string, reason = 'not as its format has it') {
    super(sentence)
    this.reason = reason
  }
}

/** A value that is nested more deeply than the stack allows: the server would refuse it too. Other errors are thrown. */
export function tooDeep(error: unknown): Fault {
  if (error instanceof RangeError) return new Fault(': is nested too deeply.')
  throw error
}
