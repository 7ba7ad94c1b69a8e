import type { ShownApproval } from '@colloquy/client/assistant-ui'
import { useId, useState } from 'react'
import { Icon } from '../app/icons.tsx'
import { nameOf, usePeople, useThread } from '../thread/thread-context.ts'

interface ApprovalProps {
  readonly title: string
  readonly argsText: string
  readonly approval: ShownApproval
}

/** Asks whether a call may run, until somebody has answered; then it says who did. */
export function Approval({ title, argsText, approval }: ApprovalProps) {
  const { approved, resolution } = approval
  if (resolution === 'expired') return null
  return approved === undefined ? (
    <Question title={title} argsText={argsText} id={approval.id} />
  ) : (
    <Answer approval={approval} isApproved={approved} />
  )
}

/** It is no form: Enter answers nothing by itself. */
function Question({ title, argsText, id }: { readonly title: string; readonly argsText: string; readonly id: string }) {
  const { thread, attempt } = useThread()
  const isObserver = usePeople((people) => people?.viewerRole === 'OBSERVER')
  const [reason, setReason] = useState('')
  const [isSent, setSent] = useState(false)
  const heading = useId()
  const answer = (approved: boolean) => () => {
    setSent(true)
    attempt(thread.answerCall(id, { approved, reason: reason.trim() || null }).finally(() => setSent(false)))
  }
  return (
    <section className="approval" aria-labelledby={heading}>
      <p id={heading} className="approval-title">
        <Icon name="alert" />
        Allow “{title}”?
      </p>
      <pre>{argsText}</pre>
      {!isObserver && (
        <fieldset className="approval-answers" disabled={isSent} aria-labelledby={heading}>
          <input
            aria-label="Reason (optional)"
            placeholder="Reason (optional)"
            // The server takes 200 bytes.
            maxLength={60}
            value={reason}
            onChange={({ target }) => setReason(target.value)}
          />
          <button type="button" className="button" onClick={answer(false)}>
            Refuse
          </button>
          <button type="button" className="button main-button" onClick={answer(true)}>
            Approve
          </button>
        </fieldset>
      )}
    </section>
  )
}

function Answer({ approval, isApproved }: { readonly approval: ShownApproval; readonly isApproved: boolean }) {
  const { userId = '', reason } = approval
  const name = usePeople((people) => nameOf(people, userId))
  return (
    <p className="answered" data-approved={isApproved}>
      <Icon name={isApproved ? 'check' : 'close'} />
      <span>
        {name} {isApproved ? 'approved' : 'refused'} it{reason === undefined ? '.' : `: ${reason}`}
      </span>
    </p>
  )
}
