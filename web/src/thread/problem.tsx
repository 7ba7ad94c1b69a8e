import { Icon } from '../app/icons.tsx'

interface ProblemProps {
  /** null: there is none. */
  readonly text: string | null
  readonly onSeen: () => void
}

/** Why the last thing that was done here was refused. */
export function Problem({ text, onSeen }: ProblemProps) {
  return (
    <div className="problem" role="alert">
      {text !== null && (
        <>
          <Icon name="alert" />
          <span>{text}</span>
          <button type="button" className="tool small" aria-label="Close" onClick={onSeen}>
            <Icon name="close" />
          </button>
        </>
      )}
    </div>
  )
}
