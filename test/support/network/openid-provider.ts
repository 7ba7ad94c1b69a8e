import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'

/** A provider of OpenID that asks nobody anything: whoever comes is signed in as one user, if that user may. */
export interface OpenIdProvider extends AsyncDisposable {
  readonly issuer: string
  /** By which grants tokens were given, in order. */
  readonly grants: readonly string[]
  /** Whether the user may sign in. */
  mayEnter: boolean
  /** Opens it. @param page the address to which browsers come back */
  serve(page: string): void
}

const scope = 'openid profile'
/** In seconds. */
const day = 86_400

/** @param accessSeconds how long an access token is good */
export async function startOpenIdProvider(accessSeconds: number): Promise<OpenIdProvider> {
  const { Provider } = await import(pathToFileURL('web/node_modules/oidc-provider/lib/index.js').href)
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const grants: string[] = []
  const state = { mayEnter: true }
  const serve = (page: string) => {
    const provider = new Provider(issuer, settingsFor(page, accessSeconds))
    provider.on('grant.success', ({ oidc }: Context) => grants.push(oidc.params.grant_type))
    const answer = provider.callback()
    server.on('request', (request, response) => {
      if (!request.url?.startsWith('/interaction/')) return answer(request, response)
      const result = state.mayEnter
        ? { login: { accountId: 'olga' } }
        : { error: 'access_denied', error_description: 'Not you.' }
      return provider.interactionFinished(request, response, result)
    })
  }
  return Object.assign(state, {
    issuer,
    grants,
    serve,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  })
}

/** One client, a page without a secret, whose tokens are for the server that it names. */
function settingsFor(page: string, accessSeconds: number): object {
  return {
    clients: [
      {
        client_id: 'page',
        redirect_uris: [page],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      },
    ],
    claims: { openid: ['sub'], profile: ['name'] },
    conformIdTokenClaims: false,
    clientBasedCORS: () => true,
    cookies: { keys: ['a key of a test'] },
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub, name: 'Olga Owner' }) }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope, accessTokenFormat: 'jwt' }),
        useGrantedResource: () => true,
      },
    },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    issueRefreshToken: () => true,
    ttl: { AccessToken: accessSeconds, Grant: day, IdToken: day, Interaction: day, RefreshToken: day, Session: day },
    loadExistingGrant: async ({ oidc }: Context) => {
      const { clientId } = oidc.client
      const grant = new oidc.provider.Grant({ clientId, accountId: oidc.session.accountId })
      grant.addOIDCScope(scope)
      grant.addResourceScope(oidc.params.resource, scope)
      await grant.save()
      return grant
    },
  }
}

interface Context {
  readonly oidc: {
    readonly client: { readonly clientId: string }
    readonly session: { readonly accountId: string }
    readonly params: { readonly resource: string; readonly grant_type: string }
    readonly provider: {
      readonly Grant: new (
        of: object,
      ) => {
        addOIDCScope(scope: string): void
        addResourceScope(resource: string, scope: string): void
        save(): Promise<string>
      }
    }
  }
}
