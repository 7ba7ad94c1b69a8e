import { StartupError } from '../errors.ts'

/**
 * Throws what is wrong with a database as one sentence.
 *
 * @param name the setting that names the database
 */
export function telling(url: string, name = 'DATABASE_URL') {
  return (what: string) =>
    (error: unknown): never => {
      if (error instanceof StartupError) throw error
      const sentence = (explainDatabaseError(error) ?? (error as Error).message).replaceAll('DATABASE_URL', name)
      throw new StartupError(`The database at ${withoutPassword(url)} ${what}: ${sentence}`)
    }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/, '//$1:…@')
}

/**
 * What is wrong with a database that cannot be used, and what to do about it, as one sentence; null if the error does not
 * come from a database.
 *
 * @param error of pg, of MikroORM around it, or of the network
 */
export function explainDatabaseError(error: unknown): string | null {
  // A host name may have several addresses. Each of them has failed.
  const first = error instanceof AggregateError ? error.errors[0] : error
  if (!(first instanceof Error)) return null
  const { code } = first as { code?: unknown }
  const message = firstLine(first.message)
  const advice = adviceOn(typeof code === 'string' ? code : '', message)
  return advice === null ? null : `${message}; ${advice}`
}

function adviceOn(code: string, message: string): string | null {
  const byMessage = messages.find(([pattern]) => pattern.test(message))
  if (byMessage !== undefined) return byMessage[1]
  const byCode = codes[code] ?? classes[code.slice(0, 2)]
  if (byCode !== undefined) return byCode
  return isSqlState(code) ? 'see the log of PostgreSQL' : null
}

const pooler =
  'a connection pooler, such as PgBouncer, stands before it: set DATABASE_URL to PostgreSQL itself, Colloquy has its own pool'
const rights =
  'let the role own the tables and the schema, for example by GRANT ALL ON SCHEMA public TO the role, or use a role that does'
const writable =
  'it takes no writes, as a replica or with default_transaction_read_only: set DATABASE_URL to one that does'

/** What pg, or a program between it and PostgreSQL, says without a code, or with one that says too little. */
const messages: readonly (readonly [RegExp, string])[] = [
  [/unsupported startup parameter|prepared statement .* (does not|already) exist/i, pooler],
  [/server does not support SSL/i, 'remove sslmode from DATABASE_URL, or switch SSL on in PostgreSQL'],
  [
    /no pg_hba\.conf entry.*(no encryption|SSL off)/i,
    'PostgreSQL takes SSL only: add ?sslmode=require to DATABASE_URL',
  ],
  [/no pg_hba\.conf entry/i, 'let pg_hba.conf of PostgreSQL take this role from this host'],
  [/client password must be a string|no password supplied/i, 'PostgreSQL asks for a password: add it to DATABASE_URL'],
  [
    /certificate|self-signed/i,
    'add sslrootcert=FILE with the certificate of its authority to DATABASE_URL, or sslmode=no-verify if nobody can stand between',
  ],
  [
    /timeout expired|terminated due to connection timeout|timeout exceeded when trying to connect/i,
    'nothing answers there in time: check the host and the port of DATABASE_URL, or set POOL_TIMEOUT_MS higher',
  ],
  [
    /Connection terminated|ECONNRESET|server closed the connection|invalid response|establishing an SSL connection/i,
    'what listens there may not be PostgreSQL, or it is stopping: check the host and the port of DATABASE_URL',
  ],
]

/** By the code of the network, or the SQLSTATE of PostgreSQL. */
const codes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start PostgreSQL, or correct the host and the port of DATABASE_URL',
  ENOENT: 'there is no socket of PostgreSQL: start PostgreSQL, or correct the host of DATABASE_URL',
  ENOTFOUND: 'there is no host of this name: correct the host of DATABASE_URL',
  EAI_AGAIN: 'the name of the host cannot be looked up: correct the host of DATABASE_URL, or the DNS of this machine',
  ETIMEDOUT: 'nothing answers there: check the host and the port of DATABASE_URL, and the firewall',
  EHOSTUNREACH: 'there is no way to that host: check the host of DATABASE_URL, and the network',
  ENETUNREACH: 'there is no way to that host: check the host of DATABASE_URL, and the network',
  EACCES: 'this user may not open the socket of PostgreSQL',
  '28P01': 'correct the user and the password in DATABASE_URL',
  '28000': 'correct the user in DATABASE_URL, or let PostgreSQL take this role',
  '3D000': 'create it with CREATE DATABASE, or correct the name in DATABASE_URL',
  '42501': rights,
  '25006': writable,
  '57014': 'it took longer than STATEMENT_TIMEOUT_MS: set that higher for this start',
  '55P03': 'another transaction holds a table: start again when that has ended, or set LOCK_TIMEOUT_MS higher',
  '53300': 'all its connections are taken: set POOL_SIZE lower, or max_connections of PostgreSQL higher',
  '53100': 'its disk is full: make room',
  '57P03': 'start again when it is ready',
}

/** By the first two characters of the SQLSTATE. */
const classes: Readonly<Record<string, string>> = {
  '08': pooler,
  '53': 'PostgreSQL has too few resources: see its log',
  '57': 'PostgreSQL is stopping or recovering: start again when it is ready',
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.trim() ?? ''
}
