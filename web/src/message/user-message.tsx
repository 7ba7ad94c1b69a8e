import { ActionBarPrimitive, ComposerPrimitive, MessagePrimitive, useAuiState } from '@assistant-ui/react'
import { Icon } from '../app/icons.tsx'
import { usePeople, useShownState, useThread } from '../thread/thread-context.ts'
import { BranchPicker } from './branch-picker.tsx'
import { MessageEnd } from './message-end.tsx'
import { Quoted } from './quoted.tsx'
import { ReactButton } from './react-button.tsx'
import { Reactions } from './reactions.tsx'
import { ReplyButton } from './reply-button.tsx'
import { Speaker } from './speaker.tsx'

export function UserMessage() {
  const isEditing = useAuiState(({ message }) => message.composer.isEditing)
  return isEditing ? <EditMessage /> : <WrittenMessage />
}

function WrittenMessage() {
  const { isDeleted, isOwn, sent } = useShownState()
  const isObserver = usePeople((people) => people?.viewerRole === 'OBSERVER')
  return (
    <MessagePrimitive.Root className="message user" data-sent={sent} data-own={isOwn} data-role="user">
      <Speaker />
      <div className="bubble">
        {isOwn && <span className="hidden">You said:</span>}
        <Quoted />
        {isDeleted ? (
          <em>This message was deleted.</em>
        ) : (
          <MessagePrimitive.Parts>
            {({ part }) => {
              if (part.type === 'text') return <p className="plain">{part.text}</p>
              return part.type === 'image' ? (
                <img className="picture" src={part.image} alt="Sent with the message" />
              ) : null
            }}
          </MessagePrimitive.Parts>
        )}
      </div>
      <SentState />
      <Reactions />
      {sent === 'sent' && !isDeleted && (
        <ActionBarPrimitive.Root className="actions">
          <BranchPicker />
          <ActionBarPrimitive.Copy className="tool small" aria-label="Copy" title="Copy">
            <Icon name="copy" />
          </ActionBarPrimitive.Copy>
          {!isObserver && (
            <>
              {isOwn && (
                <ActionBarPrimitive.Edit className="tool small" aria-label="Edit" title="Edit">
                  <Icon name="pencil" />
                </ActionBarPrimitive.Edit>
              )}
              <ReplyButton />
              <ReactButton />
            </>
          )}
        </ActionBarPrimitive.Root>
      )}
      <MessageEnd />
    </MessagePrimitive.Root>
  )
}

function SentState() {
  const { sent, problem } = useShownState()
  const id = useAuiState(({ message }) => message.id)
  const { thread } = useThread()
  if (sent === 'sent') return null
  if (sent === 'pending') {
    return (
      <p className="sent-state">
        <Icon name="clock" />
        Sending …
      </p>
    )
  }
  return (
    <div className="sent-state failed" role="alert">
      <Icon name="alert" />
      <span>Not sent: {problem}</span>
      <button type="button" onClick={() => thread.retry(id)}>
        Try again
      </button>
      <button type="button" onClick={() => thread.discard(id)}>
        Discard
      </button>
    </div>
  )
}

/** What is saved is another version of the message, with an answer of its own. */
function EditMessage() {
  return (
    <MessagePrimitive.Root className="message user editing">
      <ComposerPrimitive.Root className="edit">
        <ComposerPrimitive.Input className="edit-input" aria-label="The message in other words" autoFocus />
        <div className="edit-answers">
          <ComposerPrimitive.Cancel className="button">Cancel</ComposerPrimitive.Cancel>
          <ComposerPrimitive.Send className="button main-button">Send</ComposerPrimitive.Send>
        </div>
      </ComposerPrimitive.Root>
    </MessagePrimitive.Root>
  )
}
