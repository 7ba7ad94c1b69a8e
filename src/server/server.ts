import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Assistant } from '../assistant/assistant.ts'
import { createAuthenticate } from '../auth/authenticate.ts'
import type { Config } from '../config.ts'
import { startEmbeddedDatabase } from '../database/embedded/embedded.ts'
import { migrate } from '../database/migrate.ts'
import { openOrm } from '../database/orm.ts'
import { findWhetherSettingsHold } from '../database/pooler.ts'
import { LoneReads } from '../database/reads/lone-reads.ts'
import { Pipelines } from '../database/reads/pipelines.ts'
import { StartupError } from '../errors.ts'
import type { Services } from '../graphql/context.ts'
import { natsBus } from '../live/bus/nats-bus.ts'
import { postgresBus } from '../live/bus/postgres-bus.ts'
import { People } from '../live/people/people.ts'
import { Poll } from '../live/poll.ts'
import { SharedReads } from '../live/shared-reads.ts'
import { Watchers } from '../live/watchers.ts'
import type { ServerSelf } from '../observe/server-self.ts'
import { flushSpans } from '../observe/spans.ts'
import { Appender } from '../storage/append/appender.ts'
import { Eraser } from '../storage/conversation/eraser.ts'
import { startPurger } from '../storage/conversation/purger.ts'
import { readLastTransfer } from '../storage/list/last-transfer.ts'
import { PersonKeeper } from '../storage/person/person-keeper.ts'
import { AnswerMemory } from '../storage/postgres/answer-budget.ts'
import type { Store } from '../storage/postgres/store.ts'
import { createQuotas } from '../storage/quota/quotas.ts'
import { WordFiller } from '../storage/search/word-filler.ts'
import { startReaper } from '../storage/stream/reaper.ts'
import { StreamWriter } from '../storage/stream/stream-writer.ts'
import { TokenCounter } from '../tokens/token-counter.ts'
import { readVersion } from '../version.ts'
import { registerGraphiql } from './graphiql/graphiql.ts'
import { graphqlPath, registerGraphql } from './http/graphql-route.ts'
import { type Health, registerHealth } from './http/health.ts'
import { createHostGuard } from './http/host-guard.ts'
import { createHttp } from './http/http.ts'
import { readFigures } from './metrics/figures.ts'
import { listenForMetrics, type MetricsListener } from './metrics/metrics-listener.ts'
import { OperationMeter } from './metrics/operation-meter.ts'
import { Refusals } from './metrics/refusals.ts'
import type { Metrics } from './metrics/registry.ts'
import { createMetrics } from './metrics/server-metrics.ts'
import { Operations } from './operation/operations.ts'
import type { TransportDependencies } from './operation/transport-dependencies.ts'
import { Rates } from './rate/rates.ts'
import { createTakesOrigin } from './request/origins.ts'
import { Proxies } from './request/proxies.ts'
import { attachSockets } from './socket/upgrade.ts'
import { Sockets } from './socket/websocket.ts'
import { EventStreams } from './sse/sse.ts'
import { registerStreams } from './sse/sse-route.ts'
import { registerWeb } from './web/web.ts'

/**
 * A server that listens. Disposing it first lets end what is in flight, and then closes everything in the reverse order
 * of building.
 */
export interface Server extends AsyncDisposable {
  /** `http://host:port`, without a path. */
  readonly url: string
  /** `http://host:port/metrics`; null: there are no metrics. */
  readonly metricsUrl: string | null
  /** Where the data lies, in words for people. */
  readonly data: string
  /** What is open at the moment; event streams count as sockets. All numbers are 0 after the last client has gone. */
  inspect(): { sockets: number; watchers: number; answerBytes: number; feedBytes: number }
}

/**
 * Builds the whole server, by hand and in order.
 *
 * @param onLost is called when the embedded database is gone: the server can serve nothing any more
 * @param signal ends the start; what was opened is closed
 * @throws StartupError when its operator can mend what is wrong; one sentence says how
 */
export async function startServer(
  config: Config,
  log: Logger,
  onLost: (error: Error) => void,
  signal?: AbortSignal,
): Promise<Server> {
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => undefined)
  signal?.addEventListener('abort', () => stopped.reject(signal.reason), { once: true })
  /** For work that may take long and whose outcome nobody needs once the start was stopped. */
  const unlessStopped = <T>(work: Promise<T>): Promise<T> => Promise.race([work, stopped.promise])
  const owned: AsyncDisposable[] = []
  const own = <T extends AsyncDisposable>(resource: T): T => {
    owned.unshift(resource)
    return resource
  }
  const close = async () => {
    for (const resource of owned.splice(0)) {
      try {
        await resource[Symbol.asyncDispose]()
      } catch (error) {
        log.error({ err: error }, 'something did not close well')
      }
    }
  }
  try {
    own({ [Symbol.asyncDispose]: flushSpans })
    const { url, directUrl, data, directory } = await findDatabase(config, own, onLost, signal)
    const keepsSettings = await unlessStopped(findWhetherSettingsHold(url, config.directUrl, config.pool))
    const name = config.directUrl === undefined ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL'
    const tell = (sentence: string) => log.info(sentence)
    const { spreads, advice } = await unlessStopped(migrate(directUrl, config.pool, { name, tell, signal }))
    if (advice !== null) log.warn(advice)
    const engine = { spreads, keepsSettings }
    const { orm, pool } = own(await openOrm(url, engine, config.pool, (text) => log.debug(text)))
    const lastTransfer = await unlessStopped(readLastTransfer(pool))
    const lone = new LoneReads(pool, config.pool.waitMs)
    const reads = own(new Pipelines(url, engine, config.pool, lone, (text) => log.debug(text)))
    await unlessStopped(reads.open())

    const bus = own(config.natsUrls.length > 0 ? natsBus(config.natsUrls, log) : postgresBus(directUrl, log))
    const watchers = new Watchers(bus)
    const lookers = Math.ceil(config.pool.size / 4)
    const quotas = own(createQuotas(config.quotas, lone, lookers, log))
    let filler: WordFiller | null = null
    const store: Store = {
      pool,
      reads,
      lone,
      spreads,
      transactionMs: config.pool.transactionMs,
      em: orm.em,
      quotas,
      announce: (moved) => {
        watchers.moved(moved)
        bus.publish(moved)
        filler?.moved(moved)
      },
      log,
    }
    const poll = own(new Poll(store, watchers, config.pollMs, config.lists.settleMs, log))
    const people = own(new People(bus, watchers))
    bus.start({
      moved: (hint) => watchers.moved(hint),
      said: (text) => people.hear(text),
      resumed: () => {
        people.resumed()
        void poll.now()
      },
    })
    const eraser = own(new Eraser(store, log))
    await unlessStopped(eraser.resume())
    own(startReaper(store, config.pollMs, log))
    own(startPurger(store, config.lists, log))
    if (config.searchFill === 'on') filler = own(new WordFiller(store, log))
    const keeper = own(new PersonKeeper(store, log))
    const appender = new Appender(store, config.pool.waitMs)
    const streamWriter = own(
      new StreamWriter(store, config.limits.messageBytes, config.textWindowMs, config.pool.waitMs),
    )

    const answers = new AnswerMemory(config.limits.answersBytes)
    const feedMemory = new AnswerMemory(config.limits.answersBytes)
    const self: ServerSelf = {
      name: `${hostname()}/${process.pid}`,
      version: readVersion(),
      startedAt: new Date().toISOString(),
      settings: config.settings,
      readFigures: () => readFigures(metrics),
    }
    const services: Services = {
      store,
      appender,
      streamWriter,
      feeds: { watchers, reads: new SharedReads(feedMemory), log },
      people,
      eraser,
      tokens: own(new TokenCounter(log)),
      limits: config.limits,
      lists: { ...config.lists, lastTransfer },
      self,
    }
    const { rate, limits } = config
    const rates = rate === null ? null : new Rates(rate, limits.cost)
    const operations = own(await Operations.start(config, services, answers, rates, log))
    const takesOrigin = createTakesOrigin(config)
    const proxies = new Proxies(config.trustedProxies)
    const dependencies: TransportDependencies = {
      operations,
      authenticate: createAuthenticate(config.identity, log, keeper.meet),
      rates,
      meter: new OperationMeter(),
      refusals: new Refusals(),
      takesOrigin,
      proxies,
      config,
      log,
    }
    const guard = createHostGuard(config, takesOrigin, proxies)
    const health: Health = { isStopping: false }

    const app = createHttp(dependencies, guard, health)
    registerHealth(app, health, store)
    registerGraphql(app, dependencies)
    const streams = new EventStreams(dependencies)
    registerStreams(app, dependencies, streams)
    if (config.graphiql) registerGraphiql(app, { graphqlPath, identity: config.identity })
    const urlNow = () => `${urlOf(app.server.address() as AddressInfo)}${graphqlPath}`
    const assistant = config.assistant === null ? null : new Assistant(config.assistant, urlNow, log)
    if (config.web.isOn) {
      const answers = config.assistant === null ? null : config.assistant.model === null ? 'scripted' : 'model'
      const onOpened = (userId: string) => assistant?.attend(userId)
      registerWeb(app, { web: config.web, isOpen: config.identity === undefined, assistant: answers, onOpened })
    }
    const sockets = new Sockets(dependencies)
    attachSockets(app.server, graphqlPath, guard, dependencies, sockets)
    const { meter, refusals } = dependencies
    const parts = { appender, streamWriter, watchers, bus, poll, operations, sockets, streams, pool, reads }
    const metrics = createMetrics({ ...parts, answers, feedMemory, meter, refusals, directory })
    const listener = config.metrics.port === undefined ? null : own(await startMetrics(config.metrics, metrics, log))
    own({
      [Symbol.asyncDispose]: async () => {
        health.isStopping = true
        // Connections that the kernel has taken, and this program not yet, are lost when it listens no more.
        if (app.server.listening) await pause(config.shutdownDelayMs)
        const timer = setTimeout(() => app.server.closeAllConnections(), config.shutdownMs)
        await Promise.all([app.close(), sockets[Symbol.asyncDispose](), streams[Symbol.asyncDispose]()])
        clearTimeout(timer)
      },
    })
    // Its answers end before the server that it writes them to.
    if (assistant !== null) own(assistant)
    const listening = app.listen({ port: config.port, host: config.host })
    await unlessStopped(listening).catch((error: NodeJS.ErrnoException) => {
      throw cannotListen(config, ['PORT', 'HOST'], error)
    })
    return {
      url: urlOf(app.server.address() as AddressInfo),
      metricsUrl: listener === null ? null : `${urlOf(listener.address)}/metrics`,
      data,
      inspect: () => ({
        sockets: sockets.size + streams.size,
        watchers: watchers.size,
        answerBytes: answers.held,
        feedBytes: feedMemory.held,
      }),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function findDatabase(
  config: Config,
  own: <T extends AsyncDisposable>(resource: T) => T,
  onLost: (error: Error) => void,
  signal: AbortSignal | undefined,
): Promise<{ url: string; directUrl: string; data: string; directory: string | null }> {
  const { databaseUrl, directUrl = databaseUrl } = config
  if (databaseUrl !== undefined && directUrl !== undefined) {
    return { url: databaseUrl, directUrl, data: 'in the database of DATABASE_URL', directory: null }
  }
  const { url, directory } = own(await startEmbeddedDatabase({ directory: config.dataDir, onLost, signal }))
  return { url, directUrl: url, data: `in ${directory}`, directory }
}

async function startMetrics(
  { port = 0, host }: Config['metrics'],
  metrics: Metrics,
  log: Logger,
): Promise<MetricsListener> {
  return listenForMetrics(metrics, { port, host }, log).catch((error: NodeJS.ErrnoException) => {
    throw cannotListen({ port, host }, ['METRICS_PORT', 'METRICS_HOST'], error)
  })
}

/** @param settings that name the port and the host */
function cannotListen(
  { port, host }: { readonly port: number; readonly host: string },
  [portSetting, hostSetting]: readonly [string, string],
  error: NodeJS.ErrnoException,
): Error {
  const where = `${host}:${port}`
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartupError(`Another program listens on ${where}; set ${portSetting} to a free one.`)
    case 'EACCES':
      return new StartupError(`This user may not listen on ${where}; set ${portSetting} above 1023.`)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartupError(
        `${hostSetting}: ${host} is the name of no host that this machine knows; set an address of it.`,
      )
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return new StartupError(`${hostSetting}: ${host} is no address of this machine; set one that is.`)
    default:
      return error
  }
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
