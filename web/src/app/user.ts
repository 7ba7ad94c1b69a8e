const key = 'colloquy:user'

/** In development: who this tab says to be. A new tab is who the last one was. */
export function readUser(): string {
  return sessionStorage.getItem(key) ?? localStorage.getItem(key) ?? 'local'
}

export function keepUser(name: string): void {
  sessionStorage.setItem(key, name)
  localStorage.setItem(key, name)
}
