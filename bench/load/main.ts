import type { Job, Notice } from './job.ts'
import { runPaced } from './paced.ts'
import { runRequests } from './requests.ts'
import { runStreams } from './streams.ts'
import { runWatch } from './watch.ts'

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
    case 'paced':
      return runPaced(job, began, ended)
    case 'watch':
      return runWatch(job, began, ended)
    case 'streams':
      return runStreams(job, began, ended)
  }
}

function tell(notice: Notice): void {
  process.send?.(notice)
}
