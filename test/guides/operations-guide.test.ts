import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Api } from '../support/api.ts'
import { useGuide } from '../support/documents/guide.ts'
import { isLong } from '../support/long.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { freePort } from '../support/network/listen.ts'
import { documented, hasPrometheus, Prometheus } from '../support/observe/prometheus.ts'
import { Clone } from '../support/program/clone.ts'
import { buildPrograms } from '../support/program/program.ts'

const guide = useGuide('docs/operations.md')
const [withMetrics, bringSdk, withTraces] = guide.take('sh', 3)
const [prometheusConfig] = guide.take('yaml', 1)
const [sdk] = guide.take('js', 1)
const [trace] = guide.take('', 1)
const [logLine] = guide.take('json', 1)

const user = { 'x-user-id': 'ada' }
const append = `mutation Append { appendMessage(input: {
  conversationId: "c", message: { role: USER, content: "Hello" } }) { message { seq } } }`
let clone: Clone

beforeAll(async () => {
  buildPrograms()
  clone = await Clone.make()
})

afterAll(() => clone[Symbol.asyncDispose]())

test('a server tells its metrics and logs as docs/operations.md says, and its Prometheus reads them', async () => {
  const port = await freePort()
  await using server = clone.run(withMetrics.replace('9464', String(port)), { PORT: '0', LOG_LEVEL: 'info' })
  const [, url = ''] = await server.prints(/GraphQL +(http:\S+)\/graphql/)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const ada = new Api(url, user)
  await ada.append('c', 'first')
  const response = await ada.post(JSON.stringify({ query: append, operationName: 'Append' }), {
    traceparent,
  })
  expect(await response.json()).not.toHaveProperty('errors')
  const [line] = await server.prints(/^\{.*"operation":"Append".*\}$/m)
  const told = Object.entries(JSON.parse(line)).map(([name, value]) => [name, typeof value])
  expect(told).toEqual(Object.entries(JSON.parse(logLine)).map(([name, value]) => [name, typeof value]))

  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200)
  expect(documented).toBe(prometheusConfig)
  if (!hasPrometheus) return
  await using prometheus = await Prometheus.reading(port)
  await prometheus.look()
  expect(await prometheus.query('up{job="colloquy"}')).toMatchObject([{ value: 1 }])
})

/** A span as OTLP has it. */
interface Span {
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
}

test.skipIf(!isLong)(
  'with the SDK of docs/operations.md an append that is watched looks as it shows',
  {
    timeout: 300_000,
  },
  async () => {
    const spans = new Map<string, Span>()
    const collector = createServer(async (request, response) => {
      // biome-ignore lint/suspicious/noExplicitAny: as whoever is sent JSON does.
      const { resourceSpans } = (await json(request)) as any
      for (const { scopeSpans } of resourceSpans) {
        for (const { spans: some } of scopeSpans) for (const span of some) spans.set(span.spanId, span)
      }
      response.setHeader('content-type', 'application/json').end('{}')
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    try {
      await clone.finish(bringSdk)
      const [, path = ''] = /^\/\/ (\S+)\n/.exec(sdk) ?? []
      await writeFile(join(clone.folder, path), sdk)
      const { port } = collector.address() as AddressInfo
      const commands = withTraces.replace('http://127.0.0.1:4318', `http://127.0.0.1:${port}`)
      await using server = clone.run(commands, { PORT: '0', OTEL_BSP_SCHEDULE_DELAY: '100' })
      const [, url = ''] = await server.prints(/GraphQL +(http:\S+)\/graphql/)
      const ada = new Api(url, user)
      await ada.append('c', 'first')
      const query = 'subscription { conversationEvents(conversationId: "c", after: "") { cursor } }'
      await using watcher = await EventStreamReader.open(url, { query, identity: user })
      await watcher.event()
      await ada.ask(append)
      await watcher.event()
      const shown = pathsIn(trace)
      expect(shown).toHaveLength(9)
      const found = () => [...spans.values()].map((span) => pathOf(span, spans))
      await expect.poll(found).toEqual(expect.arrayContaining(shown))
    } finally {
      collector.closeAllConnections()
      collector.close()
    }
  },
)

/** Of a tree of names each with those around it, the outermost first. */
function pathsIn(tree: string): string[] {
  const around: string[] = []
  return tree
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, branch = '', name = ''] = /^([│├└ ]*)(.*?)(?: {2}.*)?$/.exec(line) ?? []
      around.length = branch.length / 2
      around.push(name)
      return around.join(' > ')
    })
}

function pathOf(span: Span, spans: ReadonlyMap<string, Span>): string {
  const parent = spans.get(span.parentSpanId ?? '')
  return parent === undefined ? span.name : `${pathOf(parent, spans)} > ${span.name}`
}
