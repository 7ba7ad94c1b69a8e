let unread = 0
let open: string | null = null

/** @param count of the conversations in which there is something to read; the title of the document says it first */
export function titleUnread(count: number): void {
  unread = count
  show()
}

/** @param title of the conversation that is open; null: it has none */
export function titleOpen(title: string | null): void {
  open = title
  show()
}

function show(): void {
  const name = open === null ? 'Colloquy' : `${open} · Colloquy`
  document.title = unread === 0 ? name : `(${unread}) ${name}`
}
