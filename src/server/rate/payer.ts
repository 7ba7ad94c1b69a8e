import type { Viewer } from '../../auth/viewer.ts'

/**
 * Who pays for an operation: its user; and if a backend or an operator acts for the user, the user of that one, so that
 * neither uses up what the other may.
 */
export function payerOf({ userId, actor }: Viewer): string {
  return actor === null ? userId : `${userId}\0${actor}`
}

/**
 * Who pays for the attempts of callers that are not known: an address. Of IPv6 its first half: whoever has one address
 * there has as many as it likes in that half.
 */
export function payerAt(address: string): string {
  return address.includes(':') ? firstHalf(address) : address
}

/** Four groups of a well-formed address; `::` stands for as many zeros as are missing. */
function firstHalf(address: string): string {
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  return groups.slice(0, 4).join(':')
}
