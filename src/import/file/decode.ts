/** Bytes. A conversation must be held whole to be parsed. No conversation is this long. */
export const longestText = 64 * 1024 * 1024

/**
 * The text of some bytes; otherwise why there is none. Bytes that are not UTF-8 are a fault: otherwise they would be
 * replaced without an error.
 *
 * @param pieces may be empty if there are too many bytes
 * @param isFirst whether a byte order mark may stand before the text, which is not part of it
 */
export function decode(
  pieces: readonly Buffer[],
  bytes: number,
  isFirst: boolean,
): { readonly text: string } | { readonly text: null; readonly fault: string } {
  if (bytes > longestText) {
    return { text: null, fault: `has ${bytes} bytes, and at most ${longestText} are read.` }
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: !isFirst }).decode(Buffer.concat(pieces)) }
  } catch {
    return { text: null, fault: 'must be UTF-8.' }
  }
}
