import type { Command } from 'commander'

/** A file of this folder: what the command takes, and what it does. */
interface Definition {
  define(command: Command): void
}

/** The commands, in the order of the help. A command's file is loaded when it is asked for. */
export const commands: readonly {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Definition>
}[] = [
  { name: 'start', summary: 'start the server', load: () => import('./start.ts') },
  { name: 'doctor', summary: 'look for what is wrong, and say what to do', load: () => import('./doctor.ts') },
  {
    name: 'migrate',
    summary: 'bring the database up to date, or say whether it is',
    load: () => import('./migrate.ts'),
  },
  { name: 'import', summary: 'store the conversations of a file', load: () => import('./import.ts') },
  { name: 'token', summary: 'make a bearer token', load: () => import('./token.ts') },
  {
    name: 'distribute',
    summary: 'spread conversations over the workers of Citus',
    load: () => import('./distribute.ts'),
  },
]
