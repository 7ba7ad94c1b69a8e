/** What keeps a message or a conversation out, for the person who made the file. */
export class Fault extends Error {
  /** Faults of one reason are counted together at the end. */
  readonly reason: string

  constructor(sentence: string, reason = 'not as its format has it') {
    super(sentence)
    this.reason = reason
  }
}
