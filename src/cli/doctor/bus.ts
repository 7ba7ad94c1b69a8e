import { randomUUID } from 'node:crypto'
import type { Config } from '../../config.ts'
import { explainDatabaseError } from '../../database/database-errors.ts'
import type { Connect } from '../../live/bus/bus.ts'
import { natsLine } from '../../live/bus/nats-bus.ts'
import { postgresLine } from '../../live/bus/postgres-bus.ts'
import type { Found } from './finding.ts'

/** Milliseconds for both lines and the hint. */
const patience = 10_000

/** Sends a hint from one line to another, as two servers do. @param url of PostgreSQL itself */
export async function checkBus({ natsUrls }: Config, url: string): Promise<Found> {
  const isNats = natsUrls.length > 0
  const way = isNats
    ? `the NATS at ${natsUrls.map((nats) => new URL(nats).host).join(', ')}`
    : 'LISTEN and NOTIFY of PostgreSQL'
  const good = `A hint went through ${way}.`
  try {
    await sendHint(isNats ? natsLine(natsUrls) : postgresLine(url))
    return { good, wrong: [] }
  } catch (error) {
    const advice = isNats
      ? `${(error as Error).message}; start it, or correct NATS_URL: until then servers see each other's changes late, by the poll`
      : (explainDatabaseError(error) ?? (error as Error).message)
    return { good, wrong: [`No hint went through ${way}: ${advice}`] }
  }
}

async function sendHint(open: Connect): Promise<void> {
  const hint = { key: randomUUID(), text: 'doctor' }
  const arrived = Promise.withResolvers<void>()
  const signal = AbortSignal.timeout(patience)
  const late = () => arrived.reject(new Error(`it did not come within ${patience / 1_000} s`))
  signal.addEventListener('abort', late, { once: true })
  // It may fail before anybody waits for it.
  arrived.promise.catch(() => {})
  const heard = ({ key }: { key: string }) => {
    if (key === hint.key) arrived.resolve()
  }
  await using listener = await open({ heard, lost: arrived.reject }, signal)
  await listener.listen([hint.key])
  await using sender = await open({ heard: () => {}, lost: arrived.reject }, signal)
  await sender.send([hint])
  await arrived.promise
}
