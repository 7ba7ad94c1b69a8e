import type { AuthorKind } from '../../entities/message/message-enums.ts'

/**
 * One thing that a server tells the others of the people in a conversation, which it names by its key.
 *
 * - `here`, `gone`: a user has a feed of the conversation open on that server, or has none there any more.
 * - `typing`, `still`: a user types, or does so no more. `seq` is the last one of the conversation when it typed.
 * - `read`: a marker of what was read has moved.
 * - `seen`: the same, for the list of the user whose marker it is; it is named by the list's key.
 * - `who`: the server has not followed the conversation until now, and asks who is there.
 */
export type Note =
  | readonly ['here' | 'gone' | 'still', key: string, userId: string]
  | readonly ['typing', key: string, userId: string, kind: AuthorKind, seq: number]
  | readonly ['read' | 'who', key: string]
  | readonly ['seen', list: string, key: string]

/** What a server says at once. It says so that it is there, even without a note. */
export interface Saying {
  readonly server: string
  /** What the server said before may not hold any more: it says anew who is there. */
  readonly isFresh: boolean
  readonly notes: readonly Note[]
}

/** PostgreSQL takes less than 8,000 bytes in a NOTIFY, and the line puts who sends it in front. */
export const mostBytes = 7_900

/** Of the newest note about each thing counts the last one alone. */
export function subjectOf([what, key, whose]: Note): string {
  const subject: Partial<Record<Note[0], string>> = { here: 'presence', gone: 'presence', still: 'typing' }
  return `${subject[what] ?? what} ${key} ${whose ?? ''}`
}

/** A saying as text, with as many of the notes as have room, from the first on. */
export function writeSaying(server: string, isFresh: boolean, notes: Iterable<Note>): { text: string; count: number } {
  const written: string[] = []
  let bytes = JSON.stringify([server, isFresh]).length
  for (const note of notes) {
    const text = JSON.stringify(note)
    bytes += Buffer.byteLength(text) + 1
    if (bytes > mostBytes) break
    written.push(text)
  }
  return { text: `[${[JSON.stringify(server), isFresh, ...written].join()}]`, count: written.length }
}

/** null: no server of this kind said it. */
export function readSaying(text: string): Saying | null {
  if (text.length > mostBytes) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!Array.isArray(value)) return null
  const [server, isFresh, ...notes] = value as unknown[]
  if (typeof server !== 'string' || typeof isFresh !== 'boolean' || !notes.every(isNote)) return null
  return { server, isFresh, notes }
}

const shapes: Readonly<Record<Note[0], string>> = {
  here: 'string string',
  gone: 'string string',
  typing: 'string string string number',
  still: 'string string',
  read: 'string',
  seen: 'string string',
  who: 'string',
}

function isNote(value: unknown): value is Note {
  if (!Array.isArray(value)) return false
  const [what, ...rest] = value as unknown[]
  return Object.hasOwn(shapes, String(what)) && shapes[what as Note[0]] === rest.map((one) => typeof one).join(' ')
}
