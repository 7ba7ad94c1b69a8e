import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Case } from '../case.ts'
import { ours } from '../contenders.ts'
import { standardData } from '../data.ts'
import { serviceKey } from '../documents.ts'
import { type LargeInput, largeInputs } from '../large-inputs.ts'
import { median, show } from '../numbers.ts'
import { Program, probe } from '../program.ts'

const goalMs = 50
const times = 15
/** Milliseconds in which the server has nothing to do, so that what came before is not measured. */
const restMs = 150

const caller = { 'x-service-key': serviceKey, 'x-user-id': 'large' }

export const blocked: Case = {
  name: 'blocked',
  title: 'How long large requests block the event loop',
  async run({ database }) {
    const command = ours.command(await database.copy('bench', standardData))
    await using program = await Program.start({ ...command, nodeOptions: [...(command.nodeOptions ?? []), ...probe] })
    const rows: string[][] = []
    let longest = 0
    for (const input of largeInputs) {
      const measured: number[] = []
      for (let n = 0; n < times; n++) measured.push(await block(program, input, rows.length * times + n))
      // The longest of all is as often a moment in which the machine had something else to do.
      const [most] = measured.sort((a, b) => b - a).slice(1) as [number]
      longest = Math.max(longest, median(measured))
      rows.push([input.name, input.over, show(median(measured)), show(most)])
      console.error(`  ${rows.at(-1)?.join(' ')}`)
    }
    return {
      method: `Each is sent ${times} times, with a rest before. The longest delay of the server's event loop is taken each time.`,
      columns: ['', 'over', 'ms, median', 'ms, second longest'],
      rows,
      goals: [{ goal: `median ≤ ${goalMs} ms`, reached: `${show(longest)} ms`, isReached: longest <= goalMs }],
      notes: [],
    }
  },
}

/** Milliseconds. */
async function block(program: Program, { over, text }: LargeInput, n: number): Promise<number> {
  const sent = text(n)
  if (over === 'http') {
    await rest(program)
    const headers = { 'content-type': 'application/json', ...caller }
    const answer = await fetch(`http://127.0.0.1:${program.port}/graphql`, { method: 'POST', headers, body: sent })
    await answer.text()
  } else {
    const socket = new WebSocket(`ws://127.0.0.1:${program.socketPort}/graphql`, 'graphql-transport-ws')
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'connection_init', payload: caller }))
    await once(socket, 'message')
    await rest(program)
    // A message is answered, or it closes the socket.
    const answered = Promise.race([once(socket, 'message'), once(socket, 'close')])
    socket.send(sent)
    await answered
    socket.terminate()
  }
  return program.ask('blocked')
}

async function rest(program: Program): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, restMs))
  await program.ask('blocked')
}
