import { ActionBarPrimitive, MessagePrimitive, useAuiState } from '@assistant-ui/react'
import type { GivenFeedback, ShownApproval } from '@colloquy/client/assistant-ui'
import { useState } from 'react'
import { Icon } from '../app/icons.tsx'
import { usePeople, useShownState } from '../thread/thread-context.ts'
import { BranchPicker } from './branch-picker.tsx'
import { FeedbackButtons, FeedbackForm } from './feedback.tsx'
import { Folded } from './folded.tsx'
import { Markdown } from './markdown.tsx'
import { MessageEnd } from './message-end.tsx'
import { Quoted } from './quoted.tsx'
import { ReactButton } from './react-button.tsx'
import { Reactions } from './reactions.tsx'
import { ReplyButton } from './reply-button.tsx'
import { Speaker } from './speaker.tsx'
import { ToolCall } from './tool-call.tsx'

/** All that an assistant said and did in one turn; messages of the system stand here too. */
export function AssistantMessage() {
  const { isDeleted, model, sent } = useShownState()
  const role = useAuiState(({ message }) => message.role)
  const isRunning = useAuiState(({ message }) => message.status?.type === 'running')
  const isObserver = usePeople((people) => people?.viewerRole === 'OBSERVER')
  const [asked, setAsked] = useState<GivenFeedback['rating'] | null>(null)
  return (
    <MessagePrimitive.Root className="message assistant" data-role={role} aria-busy={isRunning}>
      <Speaker />
      <Quoted />
      {isDeleted ? <em>This message was deleted.</em> : <Content isRunning={isRunning} />}
      <Ending />
      <Reactions />
      {!isRunning && !isDeleted && sent === 'sent' && role === 'assistant' && (
        <ActionBarPrimitive.Root className="actions">
          <BranchPicker />
          <ActionBarPrimitive.Copy className="tool small" aria-label="Copy" title="Copy">
            <Icon name="copy" />
          </ActionBarPrimitive.Copy>
          {!isObserver && (
            <>
              <ActionBarPrimitive.Reload className="tool small" aria-label="Another answer" title="Another answer">
                <Icon name="retry" />
              </ActionBarPrimitive.Reload>
              <ReplyButton />
              <ReactButton />
              <FeedbackButtons onAsk={setAsked} />
            </>
          )}
          {model !== null && <span className="model">{model}</span>}
        </ActionBarPrimitive.Root>
      )}
      {asked !== null && <FeedbackForm key={asked} rating={asked} onDone={() => setAsked(null)} />}
      <MessageEnd />
    </MessagePrimitive.Root>
  )
}

function Content({ isRunning }: { readonly isRunning: boolean }) {
  const isEmpty = useAuiState(({ message }) => message.parts.length === 0)
  if (isEmpty && isRunning) return <p className="waiting" role="status" aria-label="The answer begins" />
  return (
    <MessagePrimitive.Parts>
      {({ part }) => {
        switch (part.type) {
          case 'text':
            return <Markdown text={part.text} isGrowing={isRunning} />
          case 'reasoning':
            return (
              <Folded icon="thought" title="Reasoning">
                <p className="plain">{part.text}</p>
              </Folded>
            )
          case 'image':
            return <img className="picture" src={part.image} alt="In the answer" />
          case 'tool-call':
            return (
              <ToolCall
                name={part.toolName}
                argsText={part.argsText}
                result={part.result}
                isError={part.isError}
                approval={part.approval as ShownApproval | undefined}
              />
            )
          default:
            return null
        }
      }}
    </MessagePrimitive.Parts>
  )
}

function Ending() {
  const { isStopping } = useShownState()
  const status = useAuiState(({ message }) => message.status)
  if (isStopping) return <p className="ending">Stopping …</p>
  if (status?.type !== 'incomplete') return null
  if (status.reason === 'cancelled') return <p className="ending">Stopped.</p>
  return (
    <p className="ending failed">
      <Icon name="alert" />
      {String(status.error ?? 'The answer failed.')}
    </p>
  )
}
