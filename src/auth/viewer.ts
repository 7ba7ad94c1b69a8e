/** The user that a request acts as. */
export interface Viewer {
  readonly userId: string
  /** Whether the caller may say when something was created, as an import does. */
  readonly mayBringTimes: boolean
}

/** Who calls, after the proof was accepted. */
export interface Caller {
  /** null: a backend that names the user with each operation. */
  readonly viewer: Viewer | null
  /** The backend whose service key the caller has shown; null: it has shown none. */
  readonly backend: string | null
  /** Whether the caller may name the user to act as. */
  readonly mayActForOthers: boolean
  /** When the proof expires, in milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
}

/** How a caller proves who it is, in the headers of a request or in the parameters of a socket. */
export interface Credentials {
  readonly authorization: string | undefined
  readonly serviceKey: string | undefined
  readonly userId: string | undefined
}

/** Answers who is calling. @throws ApiError UNAUTHENTICATED, UNAVAILABLE */
export type Authenticate = (credentials: Credentials) => Promise<Caller>
