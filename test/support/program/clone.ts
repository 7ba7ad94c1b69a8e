import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Running } from './program.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** A folder like a clone of this project, in which nobody has worked yet. Everything in it is a link to this one's. */
export class Clone implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Clone> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'clone-')))
    for (const name of await readdir(root)) {
      if (!name.startsWith('.')) await symlink(join(root, name), join(folder, name))
    }
    await mkdir(join(folder, '.bin'))
    await symlink(join(root, 'dist/src/main.js'), join(folder, '.bin/colloquy'))
    return new Clone(folder)
  }

  /**
   * Runs commands of a shell in the folder, in which `colloquy` is the program of dist/; see `buildPrograms`.
   *
   * @param env beside the environment of the tests
   */
  run(commands: string, env: Readonly<Record<string, string>> = {}): Shell {
    const path = `${join(this.folder, '.bin')}:${dirname(process.execPath)}:${process.env.PATH}`
    // npx asks whether it may install, and npm asks its registry for nothing that its cache has.
    const settings = { npm_config_yes: 'true', npm_config_prefer_offline: 'true', npm_config_audit: 'false' }
    // Where `npm test` was called is nothing to commands that are typed here, and the program would write its files there.
    const { INIT_CWD: _, ...own } = process.env
    return new Shell(commands, this.folder, { ...own, ...settings, LOG_LEVEL: 'error', ...env, PATH: path })
  }

  /** Runs them to their end, and answers what they printed. @throws if they fail */
  async finish(commands: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    await using shell = this.run(commands, env)
    const { code } = await shell.exited
    if (code !== 0) throw new Error(`${commands}\nended with ${code}:\n${shell.stdout}${shell.stderr}`)
    return shell.stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Commands of a shell, which are all ended when it is disposed, as by Ctrl-C. */
export class Shell extends Running {
  constructor(commands: string, folder: string, env: NodeJS.ProcessEnv) {
    super(spawn('bash', ['-ec', commands], { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode, signalCode } = this.process
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGINT')
    await this.exited
  }
}
