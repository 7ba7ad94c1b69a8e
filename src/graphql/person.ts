import type { ShownPerson } from '../storage/person/person.ts'
import type { Context } from './context.ts'

/**
 * What is known of a user. For fields of what the viewer reads already, as conversations and their participants: there is
 * no way to ask for any user. Of the viewer, its own token says it.
 */
export async function personOf({ viewer, loaders }: Context, userId: string): Promise<ShownPerson> {
  const known = viewer.person?.userId === userId ? viewer.person : await loaders.person.load(userId)
  return known ?? nobody
}

const nobody: ShownPerson = { name: null, picture: null }
