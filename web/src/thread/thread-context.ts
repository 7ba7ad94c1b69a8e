import { useAuiState } from '@assistant-ui/react'
import type { ShownPeople, ShownState, Thread } from '@colloquy/client/assistant-ui'
import { createContext, useContext, useMemo, useSyncExternalStore } from 'react'
import type { Settings } from '../app/settings.ts'
import type { ShownPerson } from '../live/faces.tsx'
import type { Seen } from '../live/seen.ts'

interface OpenThread {
  readonly thread: Thread
  readonly seen: Seen
  readonly assistant: Settings['assistant']
  /** Says on the page why it failed, if it does. */
  readonly attempt: (work: Promise<unknown>) => void
}

export const ThreadContext = createContext<OpenThread | null>(null)

export function useThread(): OpenThread {
  const open = useContext(ThreadContext)
  if (open === null) throw new Error('unreachable: a thread is open')
  return open
}

/** Of the message around. */
export function useShownState(): ShownState {
  const custom = useAuiState(({ message }) => message.metadata.custom) as Partial<ShownState>
  return custom.sent === undefined ? notOurs : (custom as ShownState)
}

/** Of a message that assistant-ui shows until the thread has it, as while its pictures are read. */
const notOurs: ShownState = {
  sent: 'pending',
  problem: null,
  siblings: null,
  name: null,
  author: null,
  isOwn: true,
  model: null,
  isDeleted: false,
  isEdited: false,
  isStopping: false,
  replyTo: null,
  reactions: [],
  feedback: null,
}

/** What is picked of the people is to be a text, a number or always the same object. */
export function usePeople<Picked>(pick: (people: ShownPeople | null) => Picked): Picked {
  const { thread } = useThread()
  return useSyncExternalStore(thread.subscribe, () => pick(thread.snapshot().people))
}

export const wholePeople = (people: ShownPeople | null): ShownPeople | null => people

/** How a user is called on the page. */
export function nameOf(people: ShownPeople | null, userId: string): string {
  return userId === people?.viewer ? 'You' : (people?.names[userId] ?? userId)
}

/** The name of the backend that wrote a message; null: a user did. */
export function agentOf(author: ShownState['author']): string | null {
  return author === null || author.kind === 'USER' ? null : author.name
}

/** Users with their names and pictures. It is the same list as long as they are shown in the same way. */
export function useShown(pick: (people: ShownPeople) => readonly string[]): readonly ShownPerson[] {
  const ids = usePeople((people) => JSON.stringify(people === null ? [] : pick(people)))
  // These two change together.
  const names = usePeople((people) => people?.names)
  const pictures = usePeople((people) => people?.pictures)
  return useMemo(() => {
    return (JSON.parse(ids) as string[]).map((userId) => {
      return { userId, name: names?.[userId] ?? userId, picture: pictures?.[userId] ?? null }
    })
  }, [ids, names, pictures])
}
