import { expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { openOrm } from '../../src/database/orm.ts'
import { TransactionTooLong } from '../../src/facts.ts'
import { apiErrorOf } from '../../src/graphql/fact-errors.ts'
import { setActiveLeaf } from '../../src/storage/branch/active-leaf.ts'
import { forkConversation } from '../../src/storage/branch/conversation-fork.ts'
import { deleteConversation, updateConversation } from '../../src/storage/conversation/conversation.ts'
import { conversationKey } from '../../src/storage/conversation/conversation-key.ts'
import { useBed } from '../support/bed.ts'
import { engine } from '../support/database/engine.ts'
import { storeOf } from '../support/database/store.ts'

const bed = useBed()

test('6 resuming: what took longer than lists wait for it is not committed, and may be tried again', async () => {
  const ada = bed.server.as()
  await ada.append('old', 'first')
  await ada.append('old', 'second')
  await using opened = await openOrm(bed.database.url, engine, readConfig({}).pool, () => {})
  const refOf = (id: string) => ({ userId: 'ada', key: conversationKey('ada', id), epoch: null, id })
  const [conversation, message] = [refOf('old'), { seq: 1 }]
  const limits = { forkMessages: 10, forkBytes: 1_000 }
  const client = await bed.database.connect()
  const rows = async () => (await client.query('select * from conversation')).rows
  const before = await rows()
  const store = storeOf(opened, { transactionMs: 0 })
  const writes = [
    () => setActiveLeaf(store, { conversation, message }, false),
    () => forkConversation(store, { from: conversation, to: refOf('copy'), upToSeq: null }, limits),
    () => updateConversation(store, conversation, { title: 'new' }, () => {}),
    () => deleteConversation(store, conversation),
  ]
  for (const write of writes) await expect(write()).rejects.toThrow(TransactionTooLong)
  expect(await rows()).toEqual(before)
  expect(apiErrorOf(new TransactionTooLong(), 'appendMessage').extensions.code).toBe('UNAVAILABLE')
})
