import { type Logger, pino, stdTimeFunctions } from 'pino'
import type { Config } from '../config.ts'

/** The one logger. It is given ids, names, durations and viewers; never what messages say, and no credentials. */
export function createLog(level: Config['logLevel']): Logger {
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime })
}
