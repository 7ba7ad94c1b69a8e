import { monitorEventLoopDelay } from 'node:perf_hooks'
import { readVersion } from '../../version.ts'
import type { Metrics } from './registry.ts'

const nanoseconds = 1e9

/**
 * What the process takes, under the names that Prometheus's clients have for it
 * (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics). Disposing it ends the measuring.
 */
export function tellProcess(metrics: Metrics): Disposable {
  metrics.gauges('colloquy_build_info', 'Always 1; the labels say what runs.', ['version', 'node'], () => [
    [{ version: readVersion(), node: process.version }, 1],
  ])
  metrics.counter('process_cpu_seconds_total', 'Seconds of CPU that the process took, in it and in the kernel.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  const startedAt = (Date.now() - process.uptime() * 1_000) / 1_000
  metrics.gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.', () => startedAt)
  metrics.gauge('process_resident_memory_bytes', 'Bytes of memory that the process holds.', () =>
    process.memoryUsage.rss(),
  )
  metrics.gauge(
    'nodejs_heap_size_used_bytes',
    "Bytes that are used of V8's heap.",
    () => process.memoryUsage().heapUsed,
  )
  metrics.gauge(
    'nodejs_external_memory_bytes',
    'Bytes of buffers beside the heap.',
    () => process.memoryUsage().external,
  )

  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  metrics.gauges(
    'colloquy_event_loop_delay_seconds',
    'How late timers of 20 ms were since this was last read: the median, the 99th percentile, and the longest.',
    ['quantile'],
    () => {
      const [half, most, longest] = [delay.percentile(50), delay.percentile(99), delay.max]
      delay.reset()
      // A timer is as late as it came beyond its time.
      const late = (measured: number) => Math.max(0, measured / nanoseconds - 0.02)
      return [
        [{ quantile: '0.5' }, late(half)],
        [{ quantile: '0.99' }, late(most)],
        [{ quantile: '1' }, late(longest)],
      ]
    },
  )
  return { [Symbol.dispose]: () => delay.disable() }
}
