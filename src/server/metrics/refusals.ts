/** Why a client was refused before there was an operation. What becomes of operations is counted by their codes. */
const reasons = [
  'connections',
  'connections_per_address',
  'host',
  'origin',
  'path',
  'caller',
  'sockets_per_user',
  'streams_per_user',
  'operations_per_socket',
  'messages_per_second',
] as const

export type RefusalReason = (typeof reasons)[number]

/** How often clients were refused, by the reason. */
export class Refusals {
  readonly counts = Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<RefusalReason, number>

  add(reason: RefusalReason): void {
    this.counts[reason] += 1
  }
}
