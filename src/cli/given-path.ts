import { resolve } from 'node:path'

/**
 * The file that somebody names. npm runs its scripts in the project's folder; INIT_CWD is the folder in which npm was
 * called.
 */
export function givenPath(path: string): string {
  return resolve(process.env.INIT_CWD ?? '', path)
}
