import { type Logger, pino, stdTimeFunctions } from 'pino'
import type { Config } from '../config.ts'

/**
 * Makes the one logger. Callers give it ids, names, durations and viewers, and never what messages say or credentials.
 */
export function createLog(level: Config['logLevel']): Logger {
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime })
}
