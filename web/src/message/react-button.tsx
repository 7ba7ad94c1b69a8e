import { useAuiState } from '@assistant-ui/react'
import { useId, useRef, useState } from 'react'
import { Icon } from '../app/icons.tsx'
import { useShownState, useThread } from '../thread/thread-context.ts'
import { emojis } from './emojis.ts'

/** In pixels, between the button and what it opens, and from there to the edge of the window. */
const gap = 4

/** Opens a few emojis beside the button, above everything, until one is chosen or something else is clicked. */
export function ReactButton() {
  const id = useAuiState(({ message }) => message.id)
  const { reactions } = useShownState()
  const { thread, attempt } = useThread()
  const [isOpen, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const picker = useRef<HTMLDivElement>(null)
  const pickerId = useId()
  const choose = (emoji: string) => {
    picker.current?.hidePopover()
    button.current?.focus()
    const isOn = reactions.some((one) => one.emoji === emoji && one.viewerReacted)
    attempt(thread.react(id, emoji, !isOn))
  }
  return (
    <>
      <button
        ref={button}
        type="button"
        className="tool small"
        aria-label="React"
        aria-expanded={isOpen}
        title="React"
        popoverTarget={pickerId}
      >
        <Icon name="smile" />
      </button>
      <div
        ref={picker}
        id={pickerId}
        popover="auto"
        className="picker"
        role="dialog"
        aria-label="Choose a reaction"
        onToggle={({ newState }) => {
          setOpen(newState === 'open')
          if (newState === 'open' && button.current !== null && picker.current !== null) {
            place(picker.current, button.current.getBoundingClientRect())
          }
        }}
      >
        {isOpen &&
          emojis.map(([emoji, name], index) => (
            <button
              key={emoji}
              type="button"
              aria-label={name}
              title={name}
              // biome-ignore lint/a11y/noAutofocus: whoever has opened it goes on here
              autoFocus={index === 0}
              onClick={() => choose(emoji)}
            >
              {emoji}
            </button>
          ))}
      </div>
    </>
  )
}

/** Above the button if there is room, otherwise below it, and inside of the window. */
function place(picker: HTMLElement, { top, bottom, left }: DOMRect): void {
  requestAnimationFrame(() => {
    const { offsetWidth, offsetHeight } = picker
    const above = top - offsetHeight - gap
    picker.style.top = `${above >= gap ? above : Math.min(bottom + gap, innerHeight - offsetHeight - gap)}px`
    picker.style.left = `${Math.max(gap, Math.min(left, innerWidth - offsetWidth - gap))}px`
  })
}
