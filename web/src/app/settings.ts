/** What the server says of itself to the page. */
export interface Settings {
  /** Whether callers name their own user, as in development. */
  readonly isOpen: boolean
  /** Where tokens come from; null: in development, where none is needed, or with an OpenID provider. */
  readonly tokenUrl: string | null
  /** Where whoever opens the page signs in; null: nowhere. */
  readonly openId: OpenId | null
  /** Whether the server has an assistant of its own, and what answers there. */
  readonly assistant: 'scripted' | 'model' | null
  /** Origins from which the policy of the page allows pictures of people. */
  readonly pictures: readonly string[]
}

export interface OpenId {
  readonly issuer: string
  /** As which the provider knows the page. */
  readonly clientId: string
  /** For whom the provider is asked to make tokens; null: it is not told. */
  readonly audience: string | null
}

/** @param user in development, who somebody says to be: the server's assistant listens to this user from now on */
export async function readSettings(user?: string): Promise<Settings> {
  // fetch takes each character of a header as one byte, and the server reads the bytes as UTF-8.
  const bytes = String.fromCharCode(...new TextEncoder().encode(user ?? ''))
  const response = await fetch('./web/settings.json', user === undefined ? {} : { headers: { 'x-user-id': bytes } })
  if (!response.ok) throw new Error(`the server answers ${response.status}.`)
  return response.json()
}
