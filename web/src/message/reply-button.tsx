import { useAui, useAuiState } from '@assistant-ui/react'
import { Icon } from '../app/icons.tsx'

/** In characters of what the composer shows. */
const longestQuote = 300

/** Makes the next message a reply to the one around. */
export function ReplyButton() {
  const aui = useAui()
  const messageId = useAuiState(({ message }) => message.id)
  const text = useAuiState(({ message }) => message.parts.findLast(({ type }) => type === 'text'))
  const reply = () => {
    const said = text?.type === 'text' ? text.text : ''
    aui.thread.composer().setQuote({ messageId, text: said.slice(0, longestQuote) })
    document.getElementById('message')?.focus()
  }
  return (
    <button type="button" className="tool small" aria-label="Reply" title="Reply" onClick={reply}>
      <Icon name="reply" />
    </button>
  )
}
