import type { ClientConfig } from 'pg'
import type { Config } from '../config.ts'

/** What the database is, as far as its sessions differ. The start finds it out. */
export interface Engine {
  /** It spreads conversations over machines, as Citus does. */
  readonly spreads: boolean
  /**
   * false: a pooler stands before it and drops the settings that a session asks for. There, the role has these settings
   * from ALTER ROLE.
   */
  readonly keepsSettings: boolean
}

/** One PostgreSQL, without a pooler before it, as the embedded one is. */
export const onePostgres: Engine = { spreads: false, keepsSettings: true }

/** How every session of this program begins, for the pool and for the pipelines. */
export function sessionSettings(engine: Engine, config: Config['pool']): ClientConfig {
  const settings = Object.entries(requiredSettings(engine, config)).map(
    ([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`,
  )
  return {
    application_name: 'colloquy',
    connectionTimeoutMillis: config.waitMs,
    // A machine that is gone does not say so: without this the system asks for the first time after two hours.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(engine.keepsSettings ? { options: settings.join(' ') } : {}),
  }
}

/** The settings of PostgreSQL that every session needs, by name. Every wait has an end; times are in milliseconds. */
export function requiredSettings({ spreads }: Pick<Engine, 'spreads'>, config: Config['pool']): Record<string, string> {
  return {
    statement_timeout: String(config.statementMs),
    lock_timeout: String(config.lockMs),
    idle_in_transaction_session_timeout: String(config.transactionIdleMs),
    jit: 'off',
    ...(spreads ? { ...usualPlanning, ...sentOn } : planning),
  }
}

/**
 * Each of our statements has one good plan. Planning a page again took 0.5 ms, and running it 0.3 ms. Every plan must
 * follow an index in its order. A bitmap scan would visit what appends left behind in the index: after 1,480,000 appends
 * the first page of a list took 59 ms and 41,784 pages of memory instead of 0.6 ms and 40. A plan from the time when a
 * table was empty would go on reading the whole table: a window took 210 ms instead of 33.
 */
const planning = { plan_cache_mode: 'force_generic_plan', enable_bitmapscan: 'off', enable_seqscan: 'off' }

/** Citus cannot plan with those: a statement for another machine has no generic plan, and scans nothing here. */
const usualPlanning: typeof planning = { plan_cache_mode: 'auto', enable_bitmapscan: 'on', enable_seqscan: 'on' }

/**
 * The coordinator of Citus writes times as its session does, and a worker reads them. With DateStyle = German and the
 * time of India, 15:00 IST was read as the time of Israel, and a message was stored three and a half hours too late.
 */
const sentOn = { DateStyle: 'ISO, MDY' }
