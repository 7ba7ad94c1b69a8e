import { inject } from 'vitest'
import { TcpProxy } from '../network/tcp-proxy.ts'
import { createDatabase, type TestDatabase } from './database.ts'
import { ask } from './nodes.ts'

/** Why tests of a lost worker cannot run here; null: they can. */
export function withoutFarWorker(): string | null {
  const [coordinator, ...workers] = inject('cluster').nodes
  if (workers.length < 2) return 'TEST_CITUS_URL names no Citus with two workers'
  const isHere = [coordinator, ...workers].every((node) => new URL(node).hostname === 'localhost')
  return isHere ? null : 'the proxy is on localhost, and the machines of TEST_CITUS_URL are not'
}

/** A database without tables on a Citus of two workers, one of which the coordinator reaches through a proxy. */
export interface FarWorker extends AsyncDisposable {
  readonly database: TestDatabase
  readonly proxy: TcpProxy
  /** The URL of that worker itself, in the same database. */
  readonly direct: string
  /** Whether a conversation of ada's lies there. */
  holds(id: string): Promise<boolean>
}

export async function openFarWorker(): Promise<FarWorker> {
  const { nodes } = inject('cluster')
  const { hostname, port } = new URL(nodes[2] as string)
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createDatabase('bare'))
  const proxy = stack.use(await TcpProxy.before({ url: `http://${hostname}:${port}` }))
  const direct = new URL(database.url)
  direct.host = `${hostname}:${port}`
  const proxyPort = Number(new URL(proxy.url).port)
  await ask(database.url, `select citus_remove_node('${hostname}', ${port})`)
  await ask(database.url, `select citus_add_node('${hostname}', ${proxyPort})`)
  const owned = stack.move()
  return {
    database,
    proxy,
    direct: direct.href,
    async holds(id) {
      const [row] = await ask(
        database.url,
        `select nodeport from conversation c, pg_dist_placement p join pg_dist_node n using (groupid)
         where c.user_id = 'ada' and c.id = '${id}' and p.shardid = get_shard_id_for_distribution_column('conversation', c.key)`,
      )
      return row?.nodeport === proxyPort
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
