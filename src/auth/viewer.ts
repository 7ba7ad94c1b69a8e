import type { AuthorKind } from '../entities/message/message-enums.ts'
import type { Person } from '../entities/person.ts'

/** What a caller may do. */
export interface Rights {
  /** Whether it may send mutations. */
  readonly mayWrite: boolean
  /** Whether it may say when something was created, as an import does. */
  readonly mayBringTimes: boolean
  /** Whether it may see what concerns the server and all users: an operator, and everybody in development. */
  readonly maySeeServer: boolean
  /** Whether it sees which conversations of all users wait for a person, and may take them over. */
  readonly isSupporter: boolean
}

/** Who writes what a caller writes: for its messages. */
export interface Author {
  /** null: the user that the caller acts as. */
  readonly userId: string | null
  readonly kind: AuthorKind
  /** The name of a backend, or the one that a user's token says; null: the token says none. */
  readonly name: string | null
}

/** The user that a request acts as, and what it may do. */
export interface Viewer extends Rights {
  readonly userId: string
  /** Who acts for the user, for the log; null: the user itself. */
  readonly actor: string | null
  readonly author: Author
  /** Whether it is an operator that acts for nobody else. Such a one sees the feedback of all users. */
  readonly isOperator: boolean
  /** What the user's own token says of it; null: nothing, or somebody else acts for the user. */
  readonly person: Person | null
}

/** Who calls, after the proof was accepted. */
export interface Caller extends Rights {
  /** null: a backend that names the user with each operation. */
  readonly viewer: Viewer | null
  /** Who acts when the caller names a user: its backend, or the operator; null: nobody else. */
  readonly actor: string | null
  readonly author: Author
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

/** Is told what the token of a caller that was accepted says of its user. It must be cheap: every request calls it. */
export type MeetPerson = (person: Person) => void

/** Answers who is calling. @throws ApiError UNAUTHENTICATED, UNAVAILABLE */
export type Authenticate = (credentials: Credentials) => Promise<Caller>
