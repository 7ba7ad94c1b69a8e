/** What the server says of itself to the page. */
export interface Settings {
  /** Whether callers name their own user, as in development. */
  readonly isOpen: boolean
  /** Where tokens come from; null: in development, where none is needed. */
  readonly tokenUrl: string | null
  /** Whether the server has an assistant of its own, and what answers there. */
  readonly assistant: 'scripted' | 'model' | null
}

/** To read them also wakes the server's assistant, which sleeps until somebody opens a page. */
export async function readSettings(): Promise<Settings> {
  const response = await fetch('./web/settings.json')
  if (!response.ok) throw new Error(`the server answers ${response.status}.`)
  return response.json()
}
