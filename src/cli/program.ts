import { Command, CommanderError } from 'commander'
import { readVersion } from '../version.ts'
import { commands } from './commands.ts'

/** Reads the arguments, and runs the command that they name. @returns the exit code, which a command may set */
export async function run(args: readonly string[]): Promise<number> {
  const program = new Command('colloquy')
    .description('A conversation server for AI agents and live chat. Without a command, it starts.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'say what a command does and takes')
    .helpCommand('help [command]', 'say what a command does and takes')
    .configureOutput(sayIn('colloquy'))
    .exitOverride()
  for (const { name, summary, load } of commands) {
    const command = program
      .command(name)
      .summary(summary)
      .configureOutput(sayIn(`colloquy ${name}`))
    // Only what is asked for is loaded.
    if (args.includes(name)) (await load()).define(command)
    for (const below of command.commands) below.configureOutput(sayIn(`colloquy ${name} ${below.name()}`))
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    // The parser has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
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
