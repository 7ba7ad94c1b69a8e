import type { ParticipantRole, PresentUsers } from '../schema/types.ts'

/** The people in a conversation, as one of them sees it. */
export interface ShownPeople {
  /** The viewer's `userId`. */
  readonly viewer: string
  readonly viewerRole: ParticipantRole | null
  /** The user who has the conversation; null: nobody took it over. */
  readonly takenOverBy: string | null
  /**
   * By `userId`: how users are called, as their tokens say; of those of whom no token says it, the name of their messages.
   * It is the same object as long as nobody is called otherwise, as is `pictures`.
   */
  readonly names: Readonly<Record<string, string>>
  /** By `userId`, as their tokens say: https: and data: URLs. */
  readonly pictures: Readonly<Record<string, string>>
  /** Who has the conversation open, the viewer among them; null: nobody but the owner ever took part. */
  readonly present: PresentUsers | null
  /** Who else types. */
  readonly typing: readonly string[]
  /**
   * By the id of a shown message: who has read to its end, and no further. Without the viewer and the message's author.
   * Empty if there are more than 50 people.
   */
  readonly readers: Readonly<Record<string, readonly string[]>>
  /** If there are more than 50 people: how many have read the last message. */
  readonly readCount: number | null
}
