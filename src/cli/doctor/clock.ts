import { clockTolerance } from '../../auth/bearer-token.ts'
import type { Examined, Found } from './finding.ts'

/** The difference between this machine's clock and the database's. Either may be the wrong one. */
export async function checkClock({ client }: Examined): Promise<Found> {
  const asked = Date.now()
  const { rows } = await client.query<{ now: string }>('select extract(epoch from clock_timestamp()) * 1000 as now')
  const answered = Date.now()
  const ahead = (asked + answered) / 2 - Number(rows[0]?.now)
  // The answer may have taken all of the time one way.
  const surely = Math.abs(ahead) - (answered - asked) / 2
  const seconds = `${Math.abs(ahead / 1_000).toFixed(1)} s ${ahead < 0 ? 'behind' : 'ahead of'} the clock of the database`
  const fault = `The clock of this machine is ${seconds}, and bearer tokens expire by this one; let NTP set both`
  return { good: `The clock of this machine is ${seconds}.`, wrong: surely > clockTolerance * 1_000 ? [fault] : [] }
}
