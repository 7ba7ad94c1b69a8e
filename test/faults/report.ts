import { writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { seed } from './seed.ts'
import type { Outcome } from './trial.ts'

const path = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url))

/** Writes docs/reliability.md. */
export async function report(outcomes: readonly Outcome[], missing: readonly string[], seconds: number): Promise<void> {
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0)
  const acknowledged = sum(({ counts }) => counts.acknowledged)
  const [cpu] = cpus()
  await writeFile(
    path,
    `# Reliability

Written by \`npm run test:faults\`, which does all of this again; \`FAULTS_SEED=${seed} npm run test:faults\` with the same choices.
\`npm test\` has a short form of it.

Two server programs work on one PostgreSQL that writes to the disk (\`fsync = on\`), with a TCP proxy before the servers and
one before PostgreSQL for each server. While a fault happens, people write, follow over WebSockets and event streams, and
stream answers. Half of the writers repeat what was not answered, with its client id; the others send everything once.
Afterwards all that was answered is compared with what is stored, message by message:

- every append that was acknowledged is stored once, as it was acknowledged, and one that was not acknowledged at most once;
- seqs are 1 to n, and what a writer was told is in its order;
- every follower was shown exactly the messages after its cursor, once and in order, over however many connections;
- a client id that was sent again was answered with the same message;
- no answer is anything but a result or UNAVAILABLE, and no server logged an error that nobody foresaw, or ended by itself;
- sockets, connections, timers and memory of the servers are back where they were.

| this run | |
|---|---|
| faults survived | ${sum(({ times }) => times)} in all, of ${outcomes.length} kinds, where a fault over another bus is another kind |
| acknowledged messages lost, doubled or told wrongly | ${sum(({ breaches }) => breaches.length)} |
| answers and log lines that no fault excuses | ${sum(({ strange }) => strange.length)} |
| requests | ${sum(({ counts }) => counts.requests)} |
| appends acknowledged | ${acknowledged}, ${(acknowledged / sum((outcome) => outcome.seconds)).toFixed(0)} a second while faults happened |
| requests whose outcome nobody knew | ${sum(({ counts }) => counts.unanswered)} |
| events that followers were sent | ${sum(({ counts }) => counts.events)} |
| streamed answers | ${sum(({ counts }) => counts.streams)} |
| seed | ${seed} |
| time | ${(seconds / 60).toFixed(1)} minutes |
| machine | ${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB; the clients ran on it too, and whatever else it had to do |

**Recovery** is the time from the end of a fault until each writer was answered what it began after that, and each
follower had seen it. It holds the pauses of the clients, and what the machine does besides.

| fault | hints over | times | recovery in ms: median, longest | appends acknowledged | outcome unknown | heap afterwards, MiB | lost |
|---|---|---|---|---|---|---|---|
${outcomes.map(toRow).join('\n')}
${missing.map((sentence) => `\nLeft out: ${sentence}.\n`).join('')}`,
  )
}

function toRow({ fault, bus, times, recoveryMs, counts, heapMiB, breaches }: Outcome): string {
  const sorted = recoveryMs.toSorted((one, other) => one - other)
  const [median, longest] = [sorted[Math.floor(sorted.length / 2)] as number, sorted.at(-1) as number]
  const recovery = `${median.toFixed(0)}, ${longest.toFixed(0)}`
  const { acknowledged, unanswered } = counts
  return `| ${[fault, bus, times, recovery, acknowledged, unanswered, heapMiB.toFixed(0), breaches.length].join(' | ')} |`
}
