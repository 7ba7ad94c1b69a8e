import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Job, Notice, ResultOf } from './load/job.ts'
import { root, typescript } from './program.ts'

/** The process that makes the load, the same for every server. Disposing it ends it. */
export class Generator implements Disposable {
  readonly #child: ChildProcess = fork(join(root, 'bench/load/main.ts'), { cwd: root, execArgv: [...typescript] })

  /** Calls `began` and `ended` around the time that is measured. */
  run<Kind extends Job['kind']>(
    job: Extract<Job, { kind: Kind }>,
    began: () => void,
    ended: () => void,
  ): Promise<ResultOf[Kind]> {
    return new Promise((resolve, reject) => {
      const exited = () => reject(new Error('the generator has ended'))
      const told = (notice: Notice) => {
        if (notice.event === 'began') return began()
        if (notice.event === 'ended') return ended()
        this.#child.off('message', told).off('exit', exited)
        resolve(notice.result as ResultOf[Kind])
      }
      this.#child.on('message', told).once('exit', exited)
      this.#child.send(job)
    })
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}
