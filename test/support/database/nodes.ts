import { Client } from 'pg'
import { withDatabase } from './database-url.ts'

/** A URL of each machine, that of the coordinator first. There is one where conversations are not spread. */
export type Nodes = readonly [string, ...string[]]

/** The machines of a Citus, as a database of its coordinator has them registered. */
export async function readNodes(url: string): Promise<Nodes> {
  const workers = await ask(
    url,
    "select nodename, nodeport from pg_dist_node where groupid <> 0 and noderole = 'primary'",
  )
  if (workers.length === 0) throw new Error('TEST_CITUS_URL names a database in which no workers are registered')
  return [url, ...workers.map(({ nodename, nodeport }) => withHost(url, `${nodename}:${nodeport}`))]
}

/** Registers the machines in a database that each of them has. */
export async function registerNodes([coordinator, ...workers]: Nodes, name: string): Promise<void> {
  for (const node of [coordinator, ...workers]) await ask(withDatabase(node, name), 'create extension citus')
  const own = withDatabase(coordinator, name)
  await ask(own, `select citus_set_coordinator_host(${place(coordinator)})`)
  for (const worker of workers) await ask(own, `select citus_add_node(${place(worker)})`)
}

export async function createOnAll(nodes: Nodes, name: string, template = 'template1'): Promise<void> {
  await Promise.all(nodes.map((node) => ask(node, `create database ${name} template ${template}`)))
}

/** From now on a database has no sessions, so that it can be cloned. Citus keeps one in each of its own. */
export async function closeOnAll(nodes: Nodes, name: string): Promise<void> {
  for (const node of nodes) {
    await ask(node, `alter database ${name} allow_connections false`)
    await ask(node, `select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = '${name}'`)
  }
}

/**
 * Drops a database where there is one. The coordinator's first: it would go on speaking with the others. Citus begins a session in each of its databases again
 * as soon as it was ended, and only in one that has none from now on it does not.
 */
export async function dropOnAll(nodes: Nodes, name: string): Promise<void> {
  for (const node of nodes) {
    if ((await ask(node, `select from pg_database where datname = '${name}'`)).length === 0) continue
    await ask(node, `alter database ${name} allow_connections false`)
    await ask(node, `drop database ${name} with (force)`)
  }
}

function place(url: string): string {
  const { hostname, port } = new URL(url)
  return `'${hostname}', ${port === '' ? 5432 : port}`
}

function withHost(url: string, host: string): string {
  const copy = new URL(url)
  copy.host = host
  return copy.href
}

export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
