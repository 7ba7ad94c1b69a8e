import type { PoolClient } from 'pg'
import type { Message } from '../../entities/message/message.ts'
import type { Written } from '../conversation/commit.ts'
import { movingOne } from '../message/edit.ts'
import { changing, readRewritten } from '../message/rewrite.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'

/** Moves the revision of a message, so that feeds, pages and caches show what stands beside it as they show an edit. */
export async function moveMessage(client: PoolClient, { conversation, seq }: Message): Promise<Written<Message>> {
  return movingOne(readRewritten(await queryKey(client, move, conversation.key, [1, seq])))
}

const move: Statement<'key'> = {
  name: 'message-move',
  kind: 'key',
  text: changing('select 1 as n, $3::int as seq', null),
}
