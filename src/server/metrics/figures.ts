import type { Figure } from '../../observe/server-self.ts'
import type { Metrics } from './registry.ts'

/** What the console shows. None of these asks the database, and none begins anew when it is read. */
const names = [
  'colloquy_appends_total',
  'colloquy_append_messages_total',
  'colloquy_deliveries_total',
  'colloquy_delivery_lag_seconds',
  'colloquy_watchers',
  'colloquy_watched_keys',
  'colloquy_sockets',
  'colloquy_event_streams',
  'colloquy_pool_connections',
  'colloquy_pool_size',
  'colloquy_pool_waiting',
  'colloquy_reads',
  'colloquy_writes_waiting',
  'colloquy_bus_up',
  'colloquy_answer_bytes',
  'colloquy_operations_total',
  'colloquy_refused_total',
]

export function readFigures(metrics: Metrics): Promise<Figure[]> {
  return metrics.readSome(names)
}
