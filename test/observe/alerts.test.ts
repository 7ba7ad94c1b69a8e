import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { hasPrometheus, noPrometheus } from '../support/observe/prometheus.ts'

const rules = resolve('deploy/prometheus/alerts.yml')
const at = 'instance="a",job="colloquy"'

/**
 * For each alert the series of a server that raises it, each with a value a minute in the words of promtool, and the minute in which
 * it fires. A minute before it does not.
 */
const raised: [alert: string, firing: number, series: Record<string, string>][] = [
  ['ColloquyDown', 1, { [`up{${at}}`]: '0x20' }],
  ['ColloquyDatabaseDown', 1, { [`colloquy_database_up{${at}}`]: '0x20' }],
  ['ColloquyFaults', 4, { [operations('INTERNAL_SERVER_ERROR')]: '0x3 1x20' }],
  // The first of its kind that a server ever has.
  ['ColloquyFaults', 4, { [operations('INTERNAL_SERVER_ERROR')]: '_x4 1x20' }],
  ['ColloquyUnavailable', 6, { [operations('UNAVAILABLE')]: '0+2x20', [operations('OK')]: '0+98x20' }],
  ['ColloquySlow', 11, slower('colloquy_operation_duration_seconds', ',operation="appendMessage",over="http"')],
  ['ColloquyDeliveryLag', 6, slower('colloquy_delivery_lag_seconds')],
  ['ColloquyBusAway', 2, { [`colloquy_bus_up{${at}}`]: '0x20' }],
  [
    'ColloquyPoolExhausted',
    2,
    { [`colloquy_pool_waiting{${at}}`]: '1x20', [`colloquy_pool_connections{${at},state="idle"}`]: '0x20' },
  ],
  ['ColloquyPipelinesLost', 2, { [`colloquy_pipelines_open{${at}}`]: '0x20' }],
  ['ColloquyPollFails', 5, { [`colloquy_poll_failures_total{${at}}`]: '0x4 3x10' }],
  ['ColloquyEventLoopBlocked', 5, { [`colloquy_event_loop_delay_seconds{${at},quantile="0.99"}`]: '0.3x20' }],
  ['ColloquyRefusesForMemory', 6, { [`colloquy_refused_total{${at},reason="answers_held"}`]: '0+1x20' }],
  ['ColloquyRefusesConnections', 6, { [`colloquy_refused_total{${at},reason="connections"}`]: '0+1x20' }],
  ['ColloquyDiskFilling', 5, { [`colloquy_embedded_disk_free_bytes{${at}}`]: '1000000000x20' }],
  ['ColloquyRestarts', 4, { [`process_start_time_seconds{${at}}`]: '1 2 3 4 5x20' }],
]

/** Series at their limits, which raise nothing. */
const calm: Record<string, string> = {
  [`up{${at}}`]: '1x20',
  [`colloquy_database_up{${at}}`]: '1x20',
  [operations('UNAVAILABLE')]: '0+1x20',
  [operations('OK')]: '0+99x20',
  [`colloquy_pool_waiting{${at}}`]: '1x20',
  [`colloquy_pool_connections{${at},state="idle"}`]: '1x20',
  [`colloquy_poll_failures_total{${at}}`]: '0x4 1x15',
  [`colloquy_event_loop_delay_seconds{${at},quantile="0.99"}`]: '0.25x20',
  [`colloquy_refused_total{${at},reason="host"}`]: '0+1x20',
  [`colloquy_embedded_disk_free_bytes{${at}}`]: `${2 * 1024 ** 3}x20`,
  [`process_start_time_seconds{${at}}`]: '1 2 3 4x20',
}

function operations(code: string): string {
  return `colloquy_operations_total{${at},operation="appendMessage",over="http",code="${code}"}`
}

/** A histogram in which all are slower than 2.5 seconds. */
function slower(name: string, labels = ''): Record<string, string> {
  const bucket = (le: string) => `${name}_bucket{${at}${labels},le="${le}"}`
  return { [bucket('2.5')]: '0x20', [bucket('5')]: '0+10x20', [bucket('+Inf')]: '0+10x20' }
}

test('every alert fires when its time has come, by itself, and none at its limit', async ({ skip }) => {
  skip(!hasPrometheus, noPrometheus)
  const alerts = [...(await readFile(rules, 'utf8')).matchAll(/- alert: (\S+)/g)].map(([, name]) => name)
  expect([...new Set(raised.map(([alert]) => alert))]).toEqual(alerts)
  const cases = raised.map(([alert, minute, series]) => ({
    name: alert,
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [firing(minute - 1, []), firing(minute, [alert])],
  }))
  const input_series = Object.entries(calm).map(([name, values]) => ({ series: name, values }))
  const none = { name: 'none', interval: '1m', input_series, promql_expr_test: [firing(20, [])] }
  const folder = await mkdtemp(join(tmpdir(), 'alerts-'))
  try {
    const path = join(folder, 'tests.yml')
    // JSON is YAML.
    await writeFile(path, JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests: [...cases, none] }))
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', path], { encoding: 'utf8' })
    expect([status, stderr], stdout).toEqual([0, ''])
  } finally {
    await rm(folder, { recursive: true })
  }
})

function firing(minute: number, alerts: readonly string[]): object {
  return {
    expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
    eval_time: `${minute}m`,
    exp_samples: alerts.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
  }
}
