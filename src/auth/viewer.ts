/** What a caller may do. */
export interface Rights {
  /** Whether it may send mutations. */
  readonly mayWrite: boolean
  /** Whether it may say when something was created, as an import does. */
  readonly mayBringTimes: boolean
}

/** The user that a request acts as, and what it may do. */
export interface Viewer extends Rights {
  readonly userId: string
  /** Who acts for the user, for the log; null: the user itself. */
  readonly actor: string | null
}

/** Who calls, after the proof was accepted. */
export interface Caller extends Rights {
  /** null: a backend that names the user with each operation. */
  readonly viewer: Viewer | null
  /** Who acts when the caller names a user: its backend, or the operator; null: nobody else. */
  readonly actor: string | null
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
