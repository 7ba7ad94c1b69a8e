import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Options } from './case.ts'
import { postgraphileQuestions, type Question, questions, serviceKey } from './documents.ts'
import type { RequestTemplate } from './load/job.ts'
import { type Command, typescript } from './program.ts'

/** One of the servers that are compared: how it is started on a database, and how it is asked. */
export interface Contender {
  readonly name: string
  command(databaseUrl: string): Command
  readonly questions: Readonly<Record<Question, RequestTemplate>>
}

/** Our server as `npm start` runs it, with service keys as identity and otherwise its defaults. */
export const ours: Contender = {
  name: 'Colloquy',
  command: (databaseUrl) => ({
    script: 'dist/src/main.js',
    nodeOptions: ['--max-semi-space-size=32'],
    env: {
      PORT: '0',
      DATABASE_URL: databaseUrl,
      LOG_LEVEL: 'warn',
      // All watchers of one conversation are sockets of one user here, and by default a user may have 1,000.
      MAX_SOCKETS: '20000',
      RATE_LIMIT: 'off',
      QUOTA_STREAMS: 'off',
      // It goes on in the turns of the others, who have no search; the case `words` measures it.
      SEARCH_FILL: 'off',
      AUTH_SERVICE_KEYS: `bench:${createHash('sha256').update(serviceKey).digest('hex')}`,
    },
  }),
  questions,
}

/** Who takes part in a run: the contenders of its case, or this build and another one. */
export function participants(contenders: readonly Contender[], { against }: Options): readonly Contender[] {
  if (against === undefined) return contenders
  const command = (databaseUrl: string) => ({ ...ours.command(databaseUrl), script: join(against, 'dist/src/main.js') })
  return [ours, { ...ours, name: against, command }]
}

export const mercurius: Contender = {
  name: 'mercurius',
  command: (databaseUrl) => ({ script: 'bench/peers/mercurius.mjs', env: { DATABASE_URL: databaseUrl } }),
  questions,
}

/** The same over two pipelined connections, as ours reads. Appends that wait for a row hold up those behind them. */
export const pipelinedMercurius: Contender = {
  name: 'mercurius, pipelined',
  command: (databaseUrl) => ({
    script: 'bench/peers/mercurius.mjs',
    env: { DATABASE_URL: databaseUrl, PIPELINES: '2' },
  }),
  questions,
}

export const postgraphile: Contender = {
  name: 'PostGraphile',
  command: (databaseUrl) => ({
    script: 'bench/peers/postgraphile.mjs',
    env: { DATABASE_URL: databaseUrl, GRAPHILE_ENV: 'production' },
  }),
  questions: postgraphileQuestions,
}

export const naive: Contender = {
  name: 'naive',
  command: (databaseUrl) => ({
    script: 'bench/peers/naive.ts',
    nodeOptions: typescript,
    env: { DATABASE_URL: databaseUrl },
  }),
  questions,
}

/** Subscriptions alone, without a database. */
export const graphqlWs: Contender = {
  name: 'graphql-ws',
  command: () => ({ script: 'bench/peers/graphql-ws.mjs', env: {} }),
  questions,
}

/** Sends a ready text to every WebSocket. */
export const broadcast: Contender = {
  name: 'broadcast',
  command: () => ({ script: 'bench/peers/broadcast.mjs', env: {} }),
  questions,
}
