import { AssistantRuntimeProvider, useExternalStoreRuntime } from '@assistant-ui/react'
import { openThread, type Thread } from '@colloquy/client/assistant-ui'
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { titleOpen } from '../app/page-title.ts'
import type { Session } from '../app/session.ts'
import { useDraft } from './draft.ts'
import { newConversation } from './new-conversation.ts'
import { pictures } from './pictures.ts'
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

export function ThreadPage(props: ThreadPageProps) {
  const { session, id } = props
  const [thread, setThread] = useState<Thread | null>(null)
  useEffect(() => {
    const opened = openThread({
      client: session.socket,
      conversationId: id,
      newConversation: newConversation(session),
      storage: unsentStorage(session.owner),
    })
    setThread(opened)
    return () => opened.close()
  }, [session, id])
  return thread === null ? null : <OpenThread {...props} thread={thread} />
}

function OpenThread({
  session,
  id,
  isNew,
  onOpenList,
  onFirst,
  thread,
}: ThreadPageProps & { readonly thread: Thread }) {
  const { status, title, store } = useSyncExternalStore(thread.subscribe, thread.snapshot)
  const range = useShownRange(store.messages)
  const runtime = useExternalStoreRuntime({
    ...store,
    messages: range.messages,
    // Behind the last of these assistant-ui would show an answer that begins.
    isRunning: store.isRunning && !range.hasBehind,
    isDisabled: status === 'deleted',
    adapters: { attachments: pictures },
  })
  useDraft(runtime.thread.composer, `${session.owner}/colloquy:draft:${isNew ? 'new' : id}`)
  const isBegun = store.messages.length > 0
  useEffect(() => {
    if (isBegun && isNew) onFirst()
  }, [isBegun, isNew, onFirst])
  useEffect(() => titleOpen(title), [title])
  const context = useMemo(() => ({ thread, assistant: session.settings.assistant }), [thread, session])
  return (
    <ThreadContext value={context}>
      <AssistantRuntimeProvider runtime={runtime}>
        <ThreadHead id={id} title={title} isThere={status === 'ready'} onOpenList={onOpenList} />
        <ThreadView status={status} isEmpty={!isBegun} range={range} />
      </AssistantRuntimeProvider>
    </ThreadContext>
  )
}
