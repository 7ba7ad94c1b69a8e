import type { Command } from 'commander'

/** A file of `commands/`: what the command takes, and what it does. */
interface Definition {
  define(command: Command): void
}

/** The commands, in the order of the help. A command's file is loaded when it is asked for. */
export const commands: readonly {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Definition>
}[] = [
  { name: 'start', summary: 'start the server', load: () => import('./commands/start.ts') },
  { name: 'doctor', summary: 'look for what is wrong, and say what to do', load: () => import('./commands/doctor.ts') },
  {
    name: 'migrate',
    summary: 'bring the database up to date, or say whether it is',
    load: () => import('./commands/migrate.ts'),
  },
  { name: 'import', summary: 'store the conversations of a file', load: () => import('./commands/import.ts') },
  {
    name: 'export',
    summary: 'write conversations to a file, without loss',
    load: () => import('./commands/export.ts'),
  },
  { name: 'backup', summary: 'write all conversations to a file, safely', load: () => import('./commands/backup.ts') },
  { name: 'restore', summary: 'fill an empty database from a backup', load: () => import('./commands/restore.ts') },
  {
    name: 'renew-epochs',
    summary: 'expire what clients hold, after PostgreSQL was taken back',
    load: () => import('./commands/renew-epochs.ts'),
  },
  { name: 'token', summary: 'make a bearer token', load: () => import('./commands/token.ts') },
  {
    name: 'distribute',
    summary: 'spread conversations over the workers of Citus',
    load: () => import('./commands/distribute.ts'),
  },
]
