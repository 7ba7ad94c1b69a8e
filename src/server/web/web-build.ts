import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { webBuilder } from './web-folder.ts'

/**
 * Builds the page beside a server of a clone, unless the page is there and fresh. What the builder says goes to the standard
 * error. Disposing it ends the builder.
 *
 * @returns null: this is no clone, and brings its page
 */
export function buildWeb(): AsyncDisposable | null {
  if (!existsSync(webBuilder)) return null
  const builder = spawn(process.execPath, [webBuilder.pathname], { detached: true, stdio: ['ignore', 2, 2] })
  builder.on('error', () => {})
  return {
    [Symbol.asyncDispose]: async () => {
      if (builder.pid === undefined || builder.exitCode !== null || builder.signalCode !== null) return
      const ended = once(builder, 'close')
      // Its npm too.
      process.kill(-builder.pid)
      await ended
    },
  }
}
