import { type Command, Option } from 'commander'
import { StartupError } from '../../errors.ts'
import { requireServer, Unreachable } from '../../import/client.ts'
import { FileError } from '../../import/file/items.ts'
import { formatNames } from '../../import/formats/formats.ts'
import { importFile } from '../../import/import-file.ts'
import { Report } from '../../import/report.ts'
import { readSettings, SettingError } from '../../import/settings.ts'
import { isExport } from '../../transfer/read-file.ts'
import { givenPath } from '../given-path.ts'
import { importBeside } from '../import-beside.ts'

export function define(command: Command): void {
  command
    .description(
      'Imports conversations into a running server. FILE has one JSON value a line, or JSON of any layout: a list of ' +
        'conversations, one conversation, or a list of messages. What colloquy export wrote goes straight into the ' +
        'database, which no server may use meanwhile.',
    )
    .argument('<file>', 'what to import')
    .addOption(
      new Option(
        '--format <format>',
        'how FILE is read; without it, each conversation in the format that it fits',
      ).choices(formatNames),
    )
    .option('--json', 'print what was imported as JSON')
    .addHelpText('after', `\n${more}`)
    .action(run)
}

async function run(file: string, { format, json }: { format?: string; json?: true }): Promise<void> {
  const path = givenPath(file)
  if (format === undefined && (await isExport(path))) return importBeside(path, 'import', json)
  const report = new Report(process.stderr)
  const failure = await importFrom(path, format ?? null, report).catch((error: unknown) => {
    throw isPlain(error) ? new StartupError(error.message) : error
  })
  const summary = json ? JSON.stringify({ ...report.counts(), failure }, null, 2) : report.summary()
  if (failure !== null) console.error(failure)
  console.log(summary)
  if (failure !== null || report.hasFaults) process.exitCode = 1
}

/** @returns why the import ended early; otherwise null */
async function importFrom(path: string, format: string | null, report: Report): Promise<string | null> {
  const settings = readSettings(process.env)
  await requireServer(settings)
  const failure = await importFile(path, format, settings, report)
  return failure === null ? null : `${failure} Import the file again to go on: nothing is stored twice.`
}

/** Its sentence says all. */
function isPlain(error: unknown): error is Error {
  return (
    error instanceof SettingError ||
    error instanceof FileError ||
    error instanceof Unreachable ||
    (error as NodeJS.ErrnoException).syscall !== undefined
  )
}

const more = `An export of colloquy export is known by its first line. It goes into the database of DATABASE_DIRECT_URL,
DATABASE_URL or DATA_DIR with all that it has: epochs, revisions, times, branches. You may repeat such an import too. All
else is about the other files:

Formats:
  openai    {"id": "…", "messages": [{"role": "user", "content": "…"}, …]}, as in chat completions, and OpenAI's
            fine-tuning files, also those with preferred_output and non_preferred_output
  ai-sdk    {"id": "…", "messages": […]} with UIMessages of the AI SDK, or a list of UIMessages
  sharegpt  {"conversations": [{"from": "human", "value": "…"}, …]}
  claude    conversations.json of Claude's export
  chatgpt   conversations.json of ChatGPT's export, with its branches

A conversation keeps its id. If it has none, its id is made from its content. If the conversation exists, the import
continues it, and its title and metadata stay. Every message has a client id, so you can repeat an import: nothing is
stored twice. If a message is left out and a later import stores it, it comes last in its conversation.

The times of the file become the times of conversations and messages, and so sort the list. A message without a time has
that of the message that it continues. With COLLOQUY_TOKEN the times are only kept in sentAt.

What the server has no field for is kept in metadata, under the name of the format. What is too large for metadata,
what an export hides, and files that an export only names are counted at the end. A message with a fault is reported
with its place, and the other messages are imported. The exit code is 0 if no fault was reported, and otherwise 1.

Environment:
  COLLOQUY_URL            the server's GraphQL endpoint (http://127.0.0.1:PORT/graphql)
  PORT                    the server's port on this machine, unless COLLOQUY_URL is set (4000)
  COLLOQUY_USER           who owns the conversations, if the caller may say so (in development: local)
  COLLOQUY_TOKEN          a bearer token
  COLLOQUY_SERVICE_KEY    a service key, together with COLLOQUY_USER
  COLLOQUY_RETRY_SECONDS  how long to try again while the server is away (60). If it is set, the import also waits for a
                          server that is away at the start.`
