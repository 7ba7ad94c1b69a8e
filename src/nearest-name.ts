/**
 * The name that somebody probably meant; null: probably none of them. A name is near
 *
 * - if a letter in six is wrong, missing, too much or exchanged with the next one, and at least one: MAX_QUERY_DEPHT;
 * - if it has the same words in another order, or lacks one of three or more words: QUERY_MAX_DEPTH, LOCK_TIMEOUT;
 * - after `COLLOQUY_`, which begins the names of the settings of clients: COLLOQUY_LOG_LEVEL.
 *
 * Upper and lower case are the same here.
 */
export function findNearest(given: string, names: readonly string[]): string | null {
  const name = given.toUpperCase()
  const bare = name.replace(/^COLLOQUY_/, '')
  // Kubernetes gives every program COLLOQUY_PORT if there is a service of the name colloquy.
  if (bare !== name) return bare !== 'PORT' && names.includes(bare) ? bare : null
  const [nearest] = names
    .map((one) => ({ one, distance: distanceOf(name, one) }))
    .filter(({ one, distance }) => distance <= Math.max(1, Math.floor(one.length / 6)))
    .sort((a, b) => a.distance - b.distance)
  if (nearest !== undefined) return nearest.one
  const alike = names.filter((one) => lacksFewWords(name.split('_'), one.split('_')))
  return alike.length === 1 ? (alike[0] ?? null) : null
}

function lacksFewWords(given: readonly string[], words: readonly string[]): boolean {
  const lacking = words.length - given.length
  return given.length >= 2 && (lacking === 0 || lacking === 1) && given.every((word) => words.includes(word))
}

/** How many letters were changed, left out, added, or exchanged with their neighbour: optimal string alignment. */
function distanceOf(one: string, other: string): number {
  let [before, last] = [[] as number[], Array.from({ length: other.length + 1 }, (_, index) => index)]
  for (let row = 1; row <= one.length; row++) {
    const next = [row]
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1]
      const exchanged = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      next[column] = Math.min(
        at(last, column) + 1,
        at(next, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        exchanged ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    ;[before, last] = [last, next]
  }
  return at(last, other.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
