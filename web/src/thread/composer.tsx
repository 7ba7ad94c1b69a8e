import { AttachmentPrimitive, ComposerPrimitive, useAuiState } from '@assistant-ui/react'
import { useSyncExternalStore } from 'react'
import { Icon } from '../app/icons.tsx'
import { TypingLine } from '../live/typing-line.tsx'
import { Words } from '../message/words.tsx'
import { useThread } from './thread-context.ts'

export function Composer() {
  const { thread, attempt } = useThread()
  // Also while the answer is not among the messages in the page, which are all that assistant-ui knows.
  const isRunning = useSyncExternalStore(thread.subscribe, () => thread.snapshot().store.isRunning)
  return (
    <ComposerPrimitive.AttachmentDropzone className="composer-place">
      <TypingLine />
      <ComposerPrimitive.Root className="composer">
        <ReplyTo />
        <div className="attachments">
          <ComposerPrimitive.Attachments>{() => <Picture />}</ComposerPrimitive.Attachments>
        </div>
        <ComposerPrimitive.Input
          id="message"
          className="composer-input"
          placeholder="Write a message …"
          aria-label="Message"
          rows={1}
          maxRows={12}
          autoFocus
        />
        <div className="composer-tools">
          <ComposerPrimitive.AddAttachment className="tool" aria-label="Add a picture" title="Add a picture">
            <Icon name="picture" />
          </ComposerPrimitive.AddAttachment>
          <span className="composer-hint">Enter sends, Shift + Enter begins a line</span>
          {isRunning ? (
            <button
              type="button"
              className="send stop"
              aria-label="Stop"
              title="Stop"
              onClick={() => attempt(thread.snapshot().store.onCancel())}
            >
              <span className="stop-mark" />
            </button>
          ) : (
            <ComposerPrimitive.Send className="send" aria-label="Send" title="Send">
              <Icon name="send" />
            </ComposerPrimitive.Send>
          )}
        </div>
      </ComposerPrimitive.Root>
    </ComposerPrimitive.AttachmentDropzone>
  )
}

/** The message to which the next one replies. */
function ReplyTo() {
  const quote = useAuiState(({ composer }) => composer.quote)
  const isMarkdown = useAuiState(
    ({ thread }) => thread.messages.find(({ id }) => id === quote?.messageId)?.role === 'assistant',
  )
  if (!quote) return null
  return (
    <ComposerPrimitive.Quote className="reply-to">
      <Icon name="reply" />
      <span className="hidden">You reply to: </span>
      <ComposerPrimitive.QuoteText className="reply-text">
        {quote.text ? <Words text={quote.text} isMarkdown={isMarkdown} /> : 'A picture'}
      </ComposerPrimitive.QuoteText>
      <ComposerPrimitive.QuoteDismiss className="tool small" aria-label="Do not reply" title="Do not reply">
        <Icon name="close" />
      </ComposerPrimitive.QuoteDismiss>
    </ComposerPrimitive.Quote>
  )
}

function Picture() {
  const url = useAuiState(({ attachment }) => {
    const part = attachment.content?.find(({ type }) => type === 'image')
    return part?.type === 'image' ? part.image : undefined
  })
  const name = useAuiState(({ attachment }) => attachment.name)
  return (
    <AttachmentPrimitive.Root className="attachment">
      <img src={url} alt={name} />
      <AttachmentPrimitive.Remove className="attachment-remove" aria-label={`Remove ${name}`}>
        <Icon name="close" />
      </AttachmentPrimitive.Remove>
    </AttachmentPrimitive.Root>
  )
}
