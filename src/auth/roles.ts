import { unauthenticated } from '../errors.ts'

/** The roles that a token may give its user. Their names are used nowhere else, so that no other program gives them. */
export interface Roles {
  /** Reads and follows, and changes nothing. */
  readonly isReader: boolean
  /** May say when something was created. */
  readonly isImporter: boolean
  /** May act for any user, as a backend with a service key does. */
  readonly isOperator: boolean
  /** Sees which conversations wait for a person, and takes them over. */
  readonly isSupporter: boolean
}

/** The roles as tokens name them. */
export const roleNames = {
  reader: 'colloquy:read',
  importer: 'colloquy:import',
  operator: 'colloquy:operator',
  supporter: 'colloquy:support',
} as const

export const noRoles: Roles = { isReader: false, isImporter: false, isOperator: false, isSupporter: false }

/**
 * Reads the claim of roles: a text with spaces between, as OAuth writes scopes, or a list of texts. What else is in it
 * belongs to other programs.
 *
 * @throws ApiError UNAUTHENTICATED if it is neither: it could have taken rights away
 */
export function readRoles(name: string, claim: unknown): Roles {
  if (claim === undefined) return noRoles
  const roles = typeof claim === 'string' ? claim.split(' ') : claim
  if (!Array.isArray(roles) || roles.some((role) => typeof role !== 'string')) {
    throw unauthenticated(`The claim ${name} of the token must be a text or a list of texts.`)
  }
  return {
    isReader: roles.includes(roleNames.reader),
    isImporter: roles.includes(roleNames.importer),
    isOperator: roles.includes(roleNames.operator),
    isSupporter: roles.includes(roleNames.supporter),
  }
}
