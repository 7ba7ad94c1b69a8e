import type { Logger } from 'pino'
import { contractLimits, type Identity } from '../config.ts'
import { forbidden, unauthenticated } from '../errors.ts'
import { bearerTokens } from './bearer-token.ts'
import { findServiceKey } from './service-key.ts'
import type { Authenticate, Author, Caller, Credentials, MeetPerson, Rights, Viewer } from './viewer.ts'

/**
 * Makes the function that finds out who calls, by the ways of identity that are configured. It fails closed: it accepts
 * exactly one proof, and refuses whatever it does not understand.
 *
 * @param identity undefined: development, where a caller says who it is; a caller that does not is `local`
 */
export function createAuthenticate(
  identity: Identity | undefined,
  log: Logger,
  meet: MeetPerson = () => {},
): Authenticate {
  if (identity === undefined) {
    return async ({ userId }) => {
      return { ...callerFor(userId ?? 'local', everything), mayActForOthers: true, expiresAt: null }
    }
  }
  const verify = bearerTokens(identity, log)
  return async (credentials) => {
    const { authorization, serviceKey, userId } = credentials
    if (serviceKey !== undefined) return byServiceKey(identity, serviceKey, credentials)
    if (authorization === undefined || verify === null) throw unauthenticated(howTo(identity))
    const token = await verify(authorization)
    const { isOperator, isReader, isImporter, isSupporter } = token.roles
    if (userId !== undefined && !isOperator) {
      throw unauthenticated('x-user-id is for service keys and operators; any other token names its own user.')
    }
    const rights = {
      mayWrite: !isReader,
      mayBringTimes: isImporter,
      maySeeServer: isOperator,
      isSupporter,
      actor: null,
      author: { ...itself, name: token.person?.name ?? null },
    }
    // Whoever may not be a user may not act for one either.
    const own = callerFor(token.userId, rights)
    const author = { ...own.author, userId: token.userId }
    const caller = isOperator ? { ...own, actor: `user ${token.userId}`, author } : own
    const { person } = token
    const viewer = userId === undefined ? { ...own.viewer, isOperator, person } : readViewer(userId, caller)
    // Also of a token that only reads, and of an operator that acts for somebody else: the provider of identities says it
    // of the token's own user, and it changes no conversation.
    if (person !== null) meet(person)
    return { ...caller, viewer, mayActForOthers: isOperator, expiresAt: token.expiresAt }
  }
}

const itself: Author = { userId: null, kind: 'USER', name: null }

const everything: Acting = {
  mayWrite: true,
  mayBringTimes: true,
  maySeeServer: true,
  isSupporter: true,
  actor: null,
  author: itself,
}

/**
 * The viewer of one operation.
 *
 * @param named the user that the operation itself names, as an operation on a socket may do
 * @throws ApiError UNAUTHENTICATED if nobody is named, FORBIDDEN if the caller may not name anybody
 */
export function viewerOf(caller: Caller, named?: unknown): Viewer {
  if (named !== undefined && named !== null) {
    if (!caller.mayActForOthers) {
      throw forbidden('Only a backend with a service key or an operator may name the user of an operation.')
    }
    return readViewer(named, caller)
  }
  if (caller.viewer === null) throw unauthenticated('Name the user to act for in x-user-id.')
  return caller.viewer
}

function byServiceKey(identity: Identity, serviceKey: string, credentials: Credentials): Caller {
  if (credentials.authorization !== undefined) throw unauthenticated('Send a service key or a bearer token, not both.')
  const found = findServiceKey(identity.serviceKeys, serviceKey)
  if (found === null) throw unauthenticated('This service key is not known.')
  const { name, role, isService } = found
  const acting: Acting = {
    mayWrite: role !== 'read',
    mayBringTimes: role === 'import',
    maySeeServer: false,
    isSupporter: role === 'support',
    actor: `backend ${name}`,
    author: { userId: null, kind: isService ? 'SERVICE' : 'AGENT', name },
  }
  const viewer = credentials.userId === undefined ? null : readViewer(credentials.userId, acting)
  return { ...acting, viewer, mayActForOthers: true, expiresAt: null }
}

/** What a caller may do for a user, and who acts then. */
type Acting = Rights & Pick<Viewer, 'actor' | 'author'>

function callerFor(userId: string, acting: Acting): Acting & { readonly viewer: Viewer } {
  return { ...acting, viewer: readViewer(userId, acting) }
}

function readViewer(userId: unknown, acting: Acting): Viewer {
  const { mayWrite, mayBringTimes, maySeeServer, isSupporter, actor, author } = acting
  const isUser =
    typeof userId === 'string' &&
    userId !== '' &&
    // A character takes one or two of `length`. A list of megabytes of them would block the server.
    userId.length <= 2 * contractLimits.userId &&
    [...userId].length <= contractLimits.userId &&
    !userId.includes('\0') &&
    userId.isWellFormed()
  const rights = { mayWrite, mayBringTimes, maySeeServer, isSupporter }
  if (isUser) return { userId, ...rights, actor, author, isOperator: false, person: null }
  throw unauthenticated(`A user id has 1 to ${contractLimits.userId} characters, none of them NUL.`)
}

function howTo(identity: Identity): string {
  const ways = []
  if (identity.jwksUrl !== undefined || identity.secret !== undefined) ways.push('a bearer token in authorization')
  if (identity.serviceKeys.size > 0) ways.push('a service key in x-service-key with the user in x-user-id')
  return `Send ${ways.join(', or ')}.`
}
