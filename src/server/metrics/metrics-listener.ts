import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { tellProcess } from './process-metrics.ts'
import type { Metrics } from './registry.ts'

/** A listener of its own: who may reach the API must not be able to read this. */
export interface MetricsListener extends AsyncDisposable {
  readonly address: AddressInfo
}

/** `GET /metrics`, for Prometheus. @throws what `listen` throws */
export async function listenForMetrics(
  metrics: Metrics,
  { port, host }: { readonly port: number; readonly host: string },
  log: Logger,
): Promise<MetricsListener> {
  const answer: RequestListener = (request, response) => {
    const path = request.url?.split('?')[0]
    if (path !== '/metrics') response.writeHead(404).end('Metrics are at /metrics.\n')
    else if (request.method !== 'GET') response.writeHead(405, { allow: 'GET' }).end()
    else {
      metrics.read().then(
        (text) =>
          response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text),
        (error: unknown) => {
          log.error({ err: error }, 'metrics could not be read')
          response.writeHead(500).end()
        },
      )
    }
  }
  const server = createServer(answer)
  server.listen(port, host)
  await once(server, 'listening')
  const measuring = tellProcess(metrics)
  return {
    address: server.address() as AddressInfo,
    async [Symbol.asyncDispose]() {
      measuring[Symbol.dispose]()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
