import type { StreamJob, StreamResult } from './job.ts'

export async function runStreams(_job: StreamJob, _began: () => void, _ended: () => void): Promise<StreamResult> {
  throw new Error('not there yet')
}
