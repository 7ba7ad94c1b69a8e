interface Changed {
  readonly updatedAt: string
}

/** Where the events of the schema have what changed. */
interface Telling {
  readonly node?: Changed
  readonly edge?: { readonly node: Changed }
  readonly message?: Changed
  readonly conversation?: Changed
}

/**
 * When that happened what an event of a subscription tells of, by the database's clock, in milliseconds since 1970; null:
 * the event does not know.
 */
export function timeOf({ node, edge, message, conversation }: Telling): number | null {
  const changed = node ?? edge?.node ?? message ?? conversation
  return changed === undefined ? null : Date.parse(changed.updatedAt)
}
