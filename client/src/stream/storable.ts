/** The text with U+FFFD for what no server stores: the character NUL, and a half of a surrogate pair alone. */
export function storable(text: string): string {
  return text.replace(/[\0\p{Surrogate}]/gu, '\ufffd')
}
