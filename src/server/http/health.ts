import type { FastifyInstance } from 'fastify'
import type { Store } from '../../storage/postgres/store.ts'

/** Whether this server stops: then it wants no new work. */
export interface Health {
  isStopping: boolean
}

/**
 * `GET /healthz`: the process answers. `GET /readyz`: the server wants work, and its database answers. A server whose
 * database takes no writes stays ready, because it still answers reads, and says so.
 */
export function registerHealth(app: FastifyInstance, health: Health, store: Store): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    if (health.isStopping) return reply.code(503).send({ status: 'stopping' })
    try {
      const { rows } = await store.pool.query("select current_setting('transaction_read_only') as read_only")
      return { status: rows[0]?.read_only === 'on' ? 'ready, but the database takes no writes' : 'ready' }
    } catch {
      return reply.code(503).send({ status: 'database unavailable' })
    }
  })
}
