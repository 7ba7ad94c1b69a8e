/** The uuid that 16 bytes hold. */
export function formatUuid(bytes: Buffer): string {
  return uuidOfHex(bytes.toString('hex'))
}

/** The uuid that 32 hexadecimal digits hold. */
export function uuidOfHex(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Writes the 16 bytes of a uuid. */
export function writeUuid(into: Buffer, uuid: string, at: number): void {
  into.write(uuid.replaceAll('-', ''), at, 'hex')
}

/** The bytes of a base64url text; null when another text is the right one for the same bytes. */
export function readBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}
