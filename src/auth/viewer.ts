/** The user that a request acts as. */
export interface Viewer {
  readonly userId: string
}

/** Who calls, once its proof was accepted. */
export interface Caller {
  /** null: a backend that names its user with each operation. */
  readonly viewer: Viewer | null
  /** Which of the service keys it has shown; null: none. */
  readonly backend: string | null
  /** Whether it may name the user to act as. */
  readonly mayActForOthers: boolean
  /** When its proof expires, in milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
}

/** What a caller shows of itself, whether as headers of a request or as parameters of a socket. */
export interface Credentials {
  readonly authorization: string | undefined
  readonly serviceKey: string | undefined
  readonly userId: string | undefined
}

/** Answers who is calling. @throws ApiError UNAUTHENTICATED, UNAVAILABLE */
export type Authenticate = (credentials: Credentials) => Promise<Caller>
