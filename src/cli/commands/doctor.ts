import type { Command } from 'commander'

export function define(command: Command): void {
  command
    .description(
      'Looks for what is wrong with this machine, the settings and the database, and says what to do. It changes nothing. ' +
        'Call it with the settings of the server, while the server runs or not. The exit code is 1 if anything is wrong.',
    )
    .option('--json', 'print the findings as JSON')
    .action(run)
}

async function run({ json }: { json?: true }): Promise<void> {
  const { examine } = await import('../doctor/examine.ts')
  const findings = await examine()
  const isGood = findings.every(({ state }) => state !== 'wrong')
  const lines = findings.map(({ state, check, sentence }) => `${state.padEnd(7)}  ${check.padEnd(10)}  ${sentence}`)
  console.log(json ? JSON.stringify({ isGood, findings }, null, 2) : lines.join('\n'))
  if (!isGood) process.exitCode = 1
}
