import { createHash } from 'node:crypto'

/**
 * The epoch that a conversation gets when it is restored: 48 bits that nobody can know before. They are made from the
 * random id of the restore, so that a restore that broke off knows again what it has stored.
 */
export function epochAfter(transferId: string, key: string, epoch: number): number {
  return createHash('sha256').update(`${transferId} ${key} ${epoch}`).digest().readUIntBE(0, 6)
}
