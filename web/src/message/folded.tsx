import type { ReactNode } from 'react'
import { Icon, type IconName } from '../app/icons.tsx'

interface FoldedProps {
  readonly icon: IconName
  readonly title: string
  readonly note?: string
  readonly children: ReactNode
}

/** What is there for those who want to know more. */
export function Folded({ icon, title, note, children }: FoldedProps) {
  return (
    <details className="folded">
      <summary>
        <Icon name={icon} />
        <span>{title}</span>
        {note !== undefined && <span className="folded-note">{note}</span>}
        <Icon name="chevron" />
      </summary>
      <div className="folded-content">{children}</div>
    </details>
  )
}
