import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { errorCodes } from '../../src/errors.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { readDashboard } from '../support/observe/dashboard.ts'
import { Samples } from '../support/observe/metrics.ts'
import { serve, type TestServer } from '../support/server.ts'

/** With an embedded database, and with some of everything: a metric with labels has no sample before its first value. */
let server: TestServer
let folder: string
let samples: Samples
/** What Grafana and Prometheus ask for, by where it stands. */
let expressions: (readonly [place: string, expression: string])[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colloquy-dashboard-'))
  server = await serve('', { DATA_DIR: folder, METRICS_PORT: '0' })
  const ada = server.as()
  await ada.append('dashboard', 'first')
  const query = 'subscription { messageAppended(conversationId: "dashboard", after: "") { cursor } }'
  await using reader = await EventStreamReader.open(server.url, { query, identity: ada.identity })
  await reader.event()
  samples = await Samples.read(server.metricsUrl)
  expressions = [...(await readDashboard()), ...(await readAlerts())]
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** Of YAML only what the file uses: an expression stands behind its name, or indented below it. */
async function readAlerts(): Promise<[string, string][]> {
  const text = await readFile('deploy/prometheus/alerts.yml', 'utf8')
  const rules = text.matchAll(/- alert: (\S+)\n +expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)/g)
  return [...rules].map(([, name, below, behind]) => [`alert ${name}`, (below ?? behind) as string])
}

/** The metrics of an expression, without what a histogram adds, each with the labels that are asked of it. */
function metricsIn(expression: string): [name: string, labels: [label: string, values: string[]][]][] {
  const found = expression.matchAll(/\b((?:colloquy|process|nodejs)_\w+|up)\b(?:\{([^}]*)\})?/g)
  return [...found].map(([, name, given = '']) => {
    const labels = [...given.matchAll(/(\w+)(?:=~|!=|=)"([^"]*)"/g)]
    return [
      (name as string).replace(/_(bucket|sum|count)$/, ''),
      labels.map(([, label, values]) => [label as string, (values as string).split('|')]),
    ]
  })
}

function valuesOf(metric: string, label: string): Set<string> {
  const ours = [...samples.values.keys()].filter((sample) => new RegExp(`^${metric}(_bucket)?\\{`).test(sample))
  return new Set(ours.flatMap((sample) => new RegExp(`[{,]${label}="([^"]*)"`).exec(sample)?.[1] ?? []))
}

/** Prometheus gives these by itself. */
const ofPrometheus = ['instance', 'job']

test('every metric that is asked for is there', () => {
  expect(expressions.length).toBeGreaterThan(50)
  expect(expressions.filter(([place]) => place.startsWith('alert'))).toHaveLength(15)
  for (const [place, expression] of expressions) {
    const metrics = metricsIn(expression)
    expect(metrics, place).not.toEqual([])
    for (const [metric] of metrics) expect([...samples.names, 'up'], place).toContain(metric)
  }
})

test('every label that is asked for is one of its metric, with a value that the metric can have', () => {
  for (const [place, expression] of expressions) {
    const metrics = metricsIn(expression)
    for (const [metric, labels] of metrics) {
      for (const [label, values] of labels) {
        if (ofPrometheus.includes(label)) continue
        const known = [...valuesOf(metric, label), ...(label === 'code' ? errorCodes : [])]
        for (const value of values) expect(known, `${place}: ${metric}, ${label}`).toContain(value)
      }
    }
    const by = [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, names]) => (names as string).split(', '))
    const known = metrics.map(([metric]) => by.filter((label) => valuesOf(metric, label).size > 0))
    expect(new Set([...known.flat(), ...ofPrometheus]), place).toEqual(new Set([...by, ...ofPrometheus]))
  }
})

test('every metric of a server stands on the dashboard', () => {
  const panels = expressions.filter(([place]) => place.startsWith('panel'))
  const shown = new Set(panels.flatMap(([, expression]) => metricsIn(expression).map(([metric]) => metric)))
  expect([...samples.names].filter((name) => !shown.has(name))).toEqual([])
})

test('the embedded database tells its size and what is free on its disk', () => {
  expect(samples.of('colloquy_embedded_database')).toBe(1)
  expect(samples.of('colloquy_embedded_database_bytes')).toBeGreaterThan(1_000_000)
  expect(samples.of('colloquy_embedded_disk_free_bytes')).toBeGreaterThan(0)
})
