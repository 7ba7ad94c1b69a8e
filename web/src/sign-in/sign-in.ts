import { type User, UserManager, WebStorageStateStore } from 'oidc-client-ts'
import type { OpenId } from '../app/settings.ts'

/** Who uses the page, as an OpenID provider says. */
export interface SignedIn {
  /** The provider's id of the user. */
  readonly subject: string
  /** null: the provider tells no name. */
  readonly name: string | null
  /** null: the provider tells no picture. */
  readonly picture: string | null
  /** A bearer token that is good for some time. It never settles when the browser leaves for the provider. */
  readonly readToken: () => Promise<string>
  readonly signOut: () => Promise<void>
}

/** In seconds. A token that ends sooner is renewed before a connection begins. */
const leastTime = 30

/**
 * Signs in by an authorization code with PKCE: the browser goes to the provider and comes back. The token lies in the storage
 * of the tab. It is renewed by a refresh token where the provider gives one; where it gives none, the browser goes to the
 * provider again, which knows the user by its own cookies.
 *
 * @throws Error if the provider refuses, or cannot be reached
 */
export async function signIn({ issuer, clientId, audience }: OpenId): Promise<SignedIn> {
  const resource = audience !== null && URL.canParse(audience) ? audience : undefined
  const manager = new UserManager({
    authority: issuer,
    client_id: clientId,
    // One address for all parts of the page: providers know it word for word.
    redirect_uri: new URL('.', location.href).href,
    scope: 'openid profile',
    // For which server the token is to be: by RFC 8707, and by what some providers had before it.
    ...(resource === undefined ? {} : { resource, extraTokenParams: { resource } }),
    ...(audience === null ? {} : { extraQueryParams: { audience } }),
    automaticSilentRenew: false,
    userStore: new WebStorageStateStore({ store: sessionStorage }),
  })
  const user = (await comeBack(manager)) ?? (await manager.getUser())
  if (user === null) return leave(manager)
  const readToken = async () => {
    const known = await manager.getUser()
    return isGood(known) ? known.access_token : (await renew(manager, known)).access_token
  }
  await readToken()
  const { sub, name, preferred_username: short, picture = null } = user.profile
  const signOut = async () => {
    await manager.removeUser()
    await manager
      .signoutRedirect({ post_logout_redirect_uri: manager.settings.redirect_uri })
      .catch(() => location.reload())
  }
  return { subject: sub, name: name ?? short ?? null, picture, readToken, signOut }
}

/** The user, if the provider has sent the browser here; null: it has not. */
async function comeBack(manager: UserManager): Promise<User | null> {
  const answer = new URLSearchParams(location.search)
  if (!answer.has('state') || !(answer.has('code') || answer.has('error'))) return null
  try {
    const user = await manager.signinRedirectCallback()
    history.replaceState(null, '', (user.state as string | undefined) ?? location.pathname)
    return user
  } catch (error) {
    // A second look at the same address would fail again.
    history.replaceState(null, '', location.pathname)
    throw error
  }
}

function isGood(user: User | null): user is User {
  return user !== null && (user.expires_in ?? Number.POSITIVE_INFINITY) > leastTime
}

async function renew(manager: UserManager, user: User | null): Promise<User> {
  if (user?.refresh_token === undefined) return leave(manager)
  return (await manager.signinSilent({ resource: manager.settings.resource }).catch(() => null)) ?? leave(manager)
}

/** To the provider, which sends the browser back to where it is. */
async function leave(manager: UserManager): Promise<never> {
  await manager.signinRedirect({ state: location.pathname + location.hash })
  return new Promise(() => {})
}
