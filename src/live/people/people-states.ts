import { contractLimits } from '../../config.ts'
import type { Conversation } from '../../entities/conversation.ts'
import { type Markers, readMarkers } from '../../storage/participant/read-marker.ts'
import { readTakingPart } from '../../storage/participant/taking-part.ts'
import type { Store } from '../../storage/postgres/store.ts'
import { states } from '../watchers.ts'
import type { People } from './people.ts'

/** Who is here. */
export interface Present {
  readonly count: number
  /** By id; empty if there are more than are named. */
  readonly userIds: readonly string[]
}

/** A state as it is now. `text` is the same for the same state; null: it does not say all, and may be another one. */
export type PeopleState = { readonly text: string | null } & (
  | { readonly kind: 'present'; readonly present: Present }
  | { readonly kind: 'typing'; readonly userIds: readonly string[] }
  | ({ readonly kind: 'markers' } & Markers)
)

type Where = Pick<Conversation, 'key' | 'epoch'>

/**
 * What of these `states` there is to tell, and who of those that are here takes part, and so may hear it. It is the same for
 * all feeds of a conversation, so they share one read of it.
 */
export async function readPeopleStates(
  { reads }: Pick<Store, 'reads'>,
  people: People,
  where: Where,
  moved: number,
): Promise<{ readonly takingPart: ReadonlySet<string>; readonly told: readonly PeopleState[] }> {
  const { present, typing } = people.of(where.key) ?? { present: [], typing: [] }
  const { namedPeople } = contractLimits
  const [found, markers] = await Promise.all([
    present.length === 0 ? [] : readTakingPart(reads, where, [...new Set([...present, ...typing])]),
    (moved & states.markers) === 0 ? null : readMarkers(reads, where, namedPeople),
  ])
  const takingPart = new Set(found)
  const told: PeopleState[] = []
  if (markers !== null) {
    const text = markers.participantCount > namedPeople ? null : JSON.stringify(markers)
    told.push({ kind: 'markers', ...markers, text })
  }
  if ((moved & states.people) === 0) return { takingPart, told }
  const here = toPresent(present.filter((userId) => takingPart.has(userId)))
  const userIds = typing.filter((userId) => takingPart.has(userId)).slice(0, namedPeople)
  told.push({ kind: 'present', present: here, text: `${here.count} ${JSON.stringify(here.userIds)}` })
  told.push({ kind: 'typing', userIds, text: JSON.stringify(userIds) })
  return { takingPart, told }
}

/** Who is here, of those who take part; null: nobody follows the conversation on this server, so it does not know. */
export async function readPresent(
  { reads }: Pick<Store, 'reads'>,
  people: People,
  where: Where,
): Promise<Present | null> {
  const known = people.of(where.key)
  return known === null ? null : toPresent(await readTakingPart(reads, where, known.present))
}

function toPresent(userIds: readonly string[]): Present {
  return { count: userIds.length, userIds: userIds.length > contractLimits.namedPeople ? [] : userIds }
}
