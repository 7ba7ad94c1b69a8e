/** Has frames that are to be written. */
export interface Sender {
  flush(): void
}

/**
 * The senders that write when the present turn of the event loop is over. So all frames that one turn brings to a socket
 * go in one write: the system call takes more than everything else that is done for a frame.
 */
export class Outbox {
  #due: Sender[] = []

  /** To be called once before each flush. */
  add(sender: Sender): void {
    // After everything that promises have to do in this turn.
    if (this.#due.push(sender) === 1) process.nextTick(() => this.#flush())
  }

  #flush(): void {
    const due = this.#due
    this.#due = []
    for (const sender of due) sender.flush()
  }
}
