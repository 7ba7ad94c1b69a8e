#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { commands } from './cli/commands.ts'
import { explainDatabaseError } from './database/database-errors.ts'
import { StartupError } from './errors.ts'
import { findNodeFault } from './node-check.ts'
import { readVersion } from './version.ts'

process.exitCode = await run(process.argv.slice(2))

// Everything is disposed. A library may still hold a timer or a socket, for example while it dials a host that does not
// answer. It must not keep the process alive.
process.exit()

/** Runs the command that is named; without one, the server. The exit code: 0 done, 1 failed, 2 wrong use. */
async function run(given: readonly string[]): Promise<number> {
  const args = given.length === 0 ? ['start'] : given
  const program = new Command('colloquy')
    .description('A conversation server for AI agents and live chat. Without a command, it starts.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'say what a command does and takes')
    .helpCommand('help [command]', 'say what a command does and takes')
    .configureOutput(sayIn('colloquy'))
    .exitOverride()
    .hook('preAction', (_program, command) => requireNode(command))
  try {
    for (const { name, summary, load } of commands) {
      const command = program
        .command(name)
        .summary(summary)
        .configureOutput(sayIn(`colloquy ${name}`))
      // Only what is asked for is loaded. A start must not wait for the other commands.
      if (args.includes(name)) (await load()).define(command)
      for (const below of command.commands) below.configureOutput(sayIn(`colloquy ${name} ${below.name()}`))
    }
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    // It has been said already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    console.error(sentenceOf(error, args[0] ?? ''))
    return 1
  }
}

/** Wrong use, as the parser tells it, in one sentence with the name that was probably meant. */
function sayIn(place: string) {
  return {
    outputError: (text: string, write: (text: string) => void) => {
      const [, fault = '', meant] = /^error: (.*?)\.?(?:\n\(Did you mean (.*)\?\))?\s*$/s.exec(text) ?? []
      const sentence = fault.replace(
        /(?<=is invalid|too many arguments[^.]*)\. (.)/,
        (_, next) => `: ${next.toLowerCase()}`,
      )
      const suggestion = meant === undefined ? '' : ` (did you mean ${meant}?)`
      write(`${sentence.replaceAll('\n', ' ')}${suggestion}; ${place} --help says more\n`)
    },
  }
}

/** `doctor` tells it among all that it finds. */
function requireNode(command: Command): void {
  const fault = command.name() === 'doctor' ? null : findNodeFault()
  if (fault !== null) throw new StartupError(fault)
}

/** An error that nobody foresaw has its stack as well, if everything is to be logged. */
function sentenceOf(error: unknown, command: string): unknown {
  if (error instanceof StartupError) return error.message
  // The codes of a file's errors are also those of a network.
  if (isOfFile(error)) return error.message
  const explained = explainDatabaseError(error)
  if (explained !== null) return `The database does not serve: ${explained}`
  if (/^(debug|trace)$/.test(process.env.LOG_LEVEL ?? '')) return error
  const message = error instanceof Error ? error.message : String(error)
  return `colloquy ${command} failed: ${message.trim().split('\n')[0]} (LOG_LEVEL=debug shows where.)`
}

function isOfFile(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).path === 'string'
}
