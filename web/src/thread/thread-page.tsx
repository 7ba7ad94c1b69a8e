import { AssistantRuntimeProvider, useExternalStoreRuntime } from '@assistant-ui/react'
import { openThread, type Thread } from '@colloquy/client/assistant-ui'
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { titleOpen } from '../app/page-title.ts'
import type { Session } from '../app/session.ts'
import { Elsewhere } from '../live/elsewhere.tsx'
import { Seen } from '../live/seen.ts'
import { TakenOver } from '../live/taken-over.tsx'
import { useTyping } from '../live/use-typing.ts'
import { useDraft } from './draft.ts'
import { newConversation } from './new-conversation.ts'
import { pictures } from './pictures.ts'
import { Problem } from './problem.tsx'
import { useShownRange } from './shown-range.ts'
import { ThreadContext } from './thread-context.ts'
import { ThreadHead } from './thread-head.tsx'
import { ThreadView } from './thread-view.tsx'
import { unsentStorage } from './unsent-storage.ts'

interface ThreadPageProps {
  readonly session: Session
  readonly id: string
  /** It has no address yet. */
  readonly isNew: boolean
  readonly onOpenList: () => void
  /** The first message was written. */
  readonly onFirst: () => void
}

interface Opened {
  readonly thread: Thread
  readonly seen: Seen
}

export function ThreadPage(props: ThreadPageProps) {
  const { session, id } = props
  const [opened, setOpened] = useState<Opened | null>(null)
  useEffect(() => {
    const thread = openThread({
      client: session.socket,
      conversationId: id,
      newConversation: newConversation(session),
      more: ['approvals', 'reactions', 'replies', 'feedback', 'people'],
      storage: unsentStorage(session.owner),
    })
    const seen = new Seen(thread)
    setOpened({ thread, seen })
    return () => {
      seen.close()
      thread.close()
    }
  }, [session, id])
  return opened === null ? null : <OpenThread {...props} {...opened} />
}

function OpenThread({ session, id, isNew, onOpenList, onFirst, thread, seen }: ThreadPageProps & Opened) {
  const { status, title, people, store } = useSyncExternalStore(thread.subscribe, thread.snapshot)
  const range = useShownRange(store.messages)
  const runtime = useExternalStoreRuntime({
    ...store,
    messages: range.messages,
    // Behind the last of these assistant-ui would show an answer that begins.
    isRunning: store.isRunning && !range.hasBehind,
    isDisabled: status === 'deleted' || people?.viewerRole === 'OBSERVER',
    adapters: { ...store.adapters, attachments: pictures },
  })
  const [problem, setProblem] = useState<string | null>(null)
  useDraft(runtime.thread.composer, `${session.owner}/colloquy:draft:${isNew ? 'new' : id}`)
  useTyping(runtime.thread.composer, thread)
  const isBegun = store.messages.length > 0
  useEffect(() => {
    if (isBegun && isNew) onFirst()
  }, [isBegun, isNew, onFirst])
  useEffect(() => titleOpen(title), [title])
  const attempt = useCallback((work: Promise<unknown>) => {
    setProblem(null)
    work.catch((error: Error) => setProblem(error.message))
  }, [])
  const context = useMemo(
    () => ({ thread, seen, assistant: session.settings.assistant, attempt }),
    [thread, seen, session, attempt],
  )
  return (
    <ThreadContext value={context}>
      <AssistantRuntimeProvider runtime={runtime}>
        <ThreadHead id={id} title={title} isThere={status === 'ready'} onOpenList={onOpenList} />
        <TakenOver />
        <Elsewhere />
        <ThreadView status={status} isEmpty={!isBegun} range={range} />
        <Problem text={problem} onSeen={() => setProblem(null)} />
      </AssistantRuntimeProvider>
    </ThreadContext>
  )
}
