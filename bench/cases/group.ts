import type { Client } from 'pg'
import { conversationId } from '../../src/entities/ids/global-id.ts'
import type { Case } from '../case.ts'
import { ours, participants } from '../contenders.ts'
import { keyOf, ownerOf, standardData } from '../data.ts'
import { connect } from '../database.ts'
import { show } from '../numbers.ts'
import { deliverInTurns, reportDelivery, type Watching } from '../watch-case.ts'

const watchers = 500
const people = 1_000
const [alone, shared] = [4_711, 4_712]

/** What it costs that those who watch are many users in place of one. */
export const group: Case = {
  name: 'group',
  title: `A group of ${people.toLocaleString('en-US')} people, of whom ${watchers} watch`,
  async run(bench) {
    const url = await bench.database.copy('bench', standardData)
    await using client = await connect(url)
    const members = { prefix: 'member-', conversation: await fillGroup(client) }
    const common = {
      watchers,
      watchersPerSocket: 1,
      connections: 4,
      perSecond: () => 10,
      seconds: bench.options.seconds,
    }
    const ofOwner: Watching = { ...common, conversations: { first: alone, count: 1 } }
    const ofGroup: Watching = { ...common, conversations: { first: shared, count: 1 }, members }
    const entrants = participants([ours], bench.options).flatMap((contender) => [
      { name: `${contender.name}, one owner`, contender, watching: ofOwner },
      { name: `${contender.name}, the group`, contender, watching: ofGroup },
    ])
    const before = await writtenRows(client)
    const measured = await deliverInTurns(bench, entrants, url)
    const method = `Ten messages a second go to ${watchers} sockets: of the owner, or of as many members. CPU is per delivery.`
    const after = await writtenRows(client)
    const rows = (after.all - before.all) / (after.messages - before.messages)
    return { ...reportDelivery(measured, method, []), notes: [`An append writes ${show(rows)} rows.`] }
  },
}

/** @returns the id by which members know the conversation */
async function fillGroup(client: Client): Promise<string> {
  const { rows } = await client.query(
    `with c as (
       update conversation set participants_revision = revision where key = ${keyOf('$1::text', '$2::text')}
       returning key, epoch, revision
     ),
     joined as (
       insert into participant (conversation_key, user_id, epoch, role, revision, created_at, changed_at)
       select key, 'member-' || n, epoch, 'MEMBER', revision, now(), now() from c, generate_series(0, $3::int - 1) n
     )
     select key, epoch from c`,
    [ownerOf(shared), String(shared), people],
  )
  const { key, epoch } = rows[0]
  return conversationId(
    { userId: 'member-0' },
    { userId: ownerOf(shared), id: String(shared), key, epoch: Number(epoch) },
  )
}

/** Rows that were written so far: those of messages, and all. */
async function writtenRows(client: Client): Promise<{ messages: number; all: number }> {
  await client.query('select pg_stat_force_next_flush()')
  const { rows } = await client.query(
    `select sum(n_tup_ins) filter (where relname = 'message') as messages, sum(n_tup_ins + n_tup_upd) as all
     from pg_stat_user_tables`,
  )
  return { messages: Number(rows[0].messages), all: Number(rows[0].all) }
}
