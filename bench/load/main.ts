import type { Job, Notice } from './job.ts'
import { runRequests } from './requests.ts'

/** The generator: a process of its own, told by its parent what to do, one job after the other. */
process.on('message', (job: Job) => {
  void run(job).then((result) => tell({ event: 'done', result }))
})

function run(job: Job): Promise<unknown> {
  const began = () => tell({ event: 'began' })
  const ended = () => tell({ event: 'ended' })
  switch (job.kind) {
    case 'requests':
      return runRequests(job, began, ended)
    default:
      throw new Error(`there is no job ${job.kind}`)
  }
}

function tell(notice: Notice): void {
  process.send?.(notice)
}
