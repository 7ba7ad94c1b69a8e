import { useAuiState } from '@assistant-ui/react'
import type { GivenFeedback } from '@colloquy/client/assistant-ui'
import { useEffect, useId, useRef, useState } from 'react'
import { Icon } from '../app/icons.tsx'
import { useShownState, useThread } from '../thread/thread-context.ts'

type Rating = GivenFeedback['rating']

const labels = { UP: 'Good answer', DOWN: 'Bad answer' } as const

const reasons: Readonly<Record<Rating, readonly (readonly [reason: string, label: string])[]>> = {
  UP: [
    ['right', 'It is right'],
    ['clear', 'It is clear'],
    ['helpful', 'It helped'],
  ],
  DOWN: [
    ['wrong', 'It is wrong'],
    ['unclear', 'It is not clear'],
    ['not-asked', 'I asked something else'],
    ['harmful', 'It is harmful'],
  ],
}

/** What one thinks of an answer: a thumb at once, and a reason for those who give one. */
export function FeedbackButtons({ onAsk }: { readonly onAsk: (rating: Rating | null) => void }) {
  const { feedback } = useShownState()
  const id = useAuiState(({ message }) => message.id)
  const { thread, attempt } = useThread()
  const rate = (rating: Rating) => () => {
    const isTakenBack = feedback?.rating === rating
    attempt(thread.rate(id, isTakenBack ? null : rating))
    onAsk(isTakenBack ? null : rating)
  }
  return (['UP', 'DOWN'] as const).map((rating) => (
    <button
      key={rating}
      type="button"
      className="tool small"
      aria-label={labels[rating]}
      title={labels[rating]}
      aria-pressed={feedback?.rating === rating}
      onClick={rate(rating)}
    >
      <Icon name={rating === 'UP' ? 'good' : 'bad'} />
    </button>
  ))
}

interface FeedbackFormProps {
  readonly rating: Rating
  readonly onDone: () => void
}

export function FeedbackForm({ rating, onDone }: FeedbackFormProps) {
  const id = useAuiState(({ message }) => message.id)
  const { thread, attempt } = useThread()
  const [reason, setReason] = useState<string | null>(null)
  const title = useId()
  const own = useRef<HTMLFormElement>(null)
  useEffect(() => {
    own.current?.scrollIntoView({ block: 'nearest' })
  }, [])
  const send = (form: FormData) => {
    const comment = String(form.get('comment')).trim() || null
    if (reason !== null || comment !== null) attempt(thread.rate(id, rating, { reason, comment }))
    onDone()
  }
  return (
    <form
      ref={own}
      className="feedback"
      aria-labelledby={title}
      action={send}
      onKeyDown={({ key }) => key === 'Escape' && onDone()}
    >
      <p id={title}>{rating === 'UP' ? 'What was good?' : 'What was wrong?'}</p>
      <div className="feedback-reasons">
        {reasons[rating].map(([name, label]) => (
          <button
            key={name}
            type="button"
            className="chip"
            aria-pressed={reason === name}
            onClick={() => setReason(reason === name ? null : name)}
          >
            {label}
          </button>
        ))}
      </div>
      <textarea name="comment" rows={2} maxLength={1_000} aria-label="In your words" placeholder="In your words …" />
      <div className="feedback-answers">
        <button type="button" className="button" onClick={onDone}>
          No, thanks
        </button>
        <button type="submit" className="button main-button">
          Send
        </button>
      </div>
    </form>
  )
}
