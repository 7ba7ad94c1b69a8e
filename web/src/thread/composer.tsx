import { AttachmentPrimitive, ComposerPrimitive, useAuiState } from '@assistant-ui/react'
import { Icon } from '../app/icons.tsx'
import { TypingLine } from '../live/typing-line.tsx'

export function Composer() {
  const isRunning = useAuiState(({ thread }) => thread.isRunning)
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
            <ComposerPrimitive.Cancel className="send stop" aria-label="Stop" title="Stop">
              <span className="stop-mark" />
            </ComposerPrimitive.Cancel>
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
  if (!quote) return null
  return (
    <ComposerPrimitive.Quote className="reply-to">
      <Icon name="reply" />
      <span className="hidden">You reply to: </span>
      <ComposerPrimitive.QuoteText className="reply-text">{quote.text || 'A picture'}</ComposerPrimitive.QuoteText>
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
