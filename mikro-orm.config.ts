import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy'
import { Migrator } from '@mikro-orm/migrations'
import { defineConfig, type Options } from '@mikro-orm/postgresql'
import { Migration00001Conversations } from './migrations/00001-conversations.ts'
import { Migration00002Streams } from './migrations/00002-streams.ts'
import { Migration00003NoForeignKey } from './migrations/00003-no-foreign-key.ts'
import { Migration00004TokenCounts } from './migrations/00004-token-counts.ts'
import { Migration00005Branches } from './migrations/00005-branches.ts'
import { Migration00006ImportedAt } from './migrations/00006-imported-at.ts'
import { Migration00007Transfers } from './migrations/00007-transfers.ts'
import { Migration00008Participants } from './migrations/00008-participants.ts'
import { Migration00009Search } from './migrations/00009-search.ts'
import { Migration00010ReadMarkers } from './migrations/00010-read-markers.ts'
import { Migration00011HistoryFrom } from './migrations/00011-history-from.ts'
import { Migration00013Chat } from './migrations/00013-chat.ts'
import { Migration00014Calls } from './migrations/00014-calls.ts'
import { Migration00015Waiting } from './migrations/00015-waiting.ts'
import { Migration00016People } from './migrations/00016-people.ts'
import { readConfig } from './src/config.ts'
import { Conversation } from './src/entities/conversation.ts'
import { ConversationWords } from './src/entities/conversation-words.ts'
import { Message } from './src/entities/message/message.ts'
import { MessageApproval } from './src/entities/message/message-approval.ts'
import { MessageChunk } from './src/entities/message/message-chunk.ts'
import { MessageFeedback } from './src/entities/message/message-feedback.ts'
import { MessageLink } from './src/entities/message/message-link.ts'
import { MessageReaction } from './src/entities/message/message-reaction.ts'
import { MessageStream } from './src/entities/message/message-stream.ts'
import { MessageTokenCount } from './src/entities/message/message-token-count.ts'
import { MessageWords } from './src/entities/message/message-words.ts'
import { Participant } from './src/entities/participant.ts'
import { Person } from './src/entities/person.ts'
import { ReadMarker } from './src/entities/read-marker.ts'
import { Transfer } from './src/entities/transfer.ts'
import { Waiting } from './src/entities/waiting.ts'

/**
 * The options that the command line, the server and the tests share. MikroORM can find entities and migrations only by
 * reading folders at run time. So both are listed here, and a test names one that is missing.
 *
 * A migration also runs on tables that Citus has spread over machines. It makes a new table as on one PostgreSQL, and
 * `src/database/distribute.ts` lists the table: the start spreads it, and makes its foreign key anew. Until then the table
 * must stay empty. Citus refuses a trigger, a unique index without the conversation's key, `add column` with a check, a
 * unique or a foreign key in the same command (a second command adds a constraint, with a name), `set storage`, and in
 * an `update` a volatile function, or a function of columns that is not immutable.
 */
export const ormOptions: Options = {
  entities: [
    Conversation,
    Participant,
    ReadMarker,
    Waiting,
    Person,
    Message,
    MessageStream,
    MessageChunk,
    MessageReaction,
    MessageLink,
    MessageFeedback,
    MessageApproval,
    MessageTokenCount,
    MessageWords,
    ConversationWords,
    Transfer,
  ],
  metadataProvider: ReflectMetadataProvider,
  extensions: [Migrator],
  migrations: {
    tableName: 'migration',
    migrationsList: [
      Migration00001Conversations,
      Migration00002Streams,
      Migration00003NoForeignKey,
      Migration00004TokenCounts,
      Migration00005Branches,
      Migration00006ImportedAt,
      Migration00007Transfers,
      Migration00008Participants,
      Migration00009Search,
      Migration00010ReadMarkers,
      Migration00011HistoryFrom,
      Migration00013Chat,
      Migration00014Calls,
      Migration00015Waiting,
      Migration00016People,
    ],
    snapshot: false,
  },
  // There are no collections, so there is nothing to propagate. The setters for that cost more than the rows that they
  // hold.
  propagationOnPrototype: false,
}

/**
 * For the command line. It reads the settings that name the database as the server does. MikroORM reads the times of its
 * migrations as dates, whatever form the role has chosen for them.
 */
export default () => {
  const { databaseUrl, directUrl } = readConfig(process.env)
  const driverOptions = { options: '-c DateStyle=ISO' }
  return defineConfig({ ...ormOptions, clientUrl: directUrl ?? databaseUrl, driverOptions })
}
