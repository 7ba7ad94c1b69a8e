import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { renderPgbenchScript } from '../../scripts/pgbench-script.ts'
import { useBed } from '../support/bed.ts'

const bed = useBed()

test("pgbench's script is the statement of the code: npm run generate", async () => {
  expect(await readFile('bench/peers/pgbench.sql', 'utf8')).toBe(renderPgbenchScript())
})

test('the script appends one message to the conversation that it draws', async () => {
  const ada = bed.server.as({ 'x-user-id': 'user-12' })
  await ada.append('1234', 'first')
  const drawn: Record<string, number> = {
    conversation: 1234,
    owner: 12,
    length: 21,
    client_high: 5,
    client_low: 6,
    zero: 0,
  }
  const statement = renderPgbenchScript().replaceAll(/^(--|\\set) .*$/gm, '')
  const client = await bed.database.connect()
  const { rowCount } = await client.query(statement.replaceAll(/(?<!:):(\w+)/g, (_all, name) => `'${drawn[name]}'`))
  expect(rowCount).toBe(1)
  const { conversation } = await ada.get(
    `{ conversation(id: "1234") { lastSeq lastMessage { seq role content clientId } } }`,
  )
  const lastMessage = { seq: 2, role: 'USER', content: 'word word word word w', clientId: '5-6' }
  expect(conversation).toEqual({ lastSeq: 2, lastMessage })
})
