import type { FastifyInstance } from 'fastify'
import type { Store } from '../../storage/postgres/store.ts'

/** Whether this server stops: then it wants no new work. */
export interface Health {
  isStopping: boolean
}

/** `GET /healthz`: the process answers. `GET /readyz`: the server wants work, and its database answers. */
export function registerHealth(app: FastifyInstance, health: Health, store: Store): void {
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    if (health.isStopping) return reply.code(503).send({ status: 'stopping' })
    try {
      await store.pool.query('select 1')
      return { status: 'ready' }
    } catch {
      return reply.code(503).send({ status: 'database unavailable' })
    }
  })
}
