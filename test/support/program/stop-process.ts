import { readdir, readFile } from 'node:fs/promises'
import { until } from '../until.ts'

/** Stops a process, and waits until none of its threads runs: the signal alone only asks for it. Linux. */
export async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  const tasks = `/proc/${pid}/task`
  await until(async () => {
    const threads = await readdir(tasks)
    const stats = await Promise.all(
      threads.map((thread) => readFile(`${tasks}/${thread}/stat`, 'utf8').catch(() => '')),
    )
    return stats.every((stat) => stat === '' || /\) T /.test(stat))
  })
}
