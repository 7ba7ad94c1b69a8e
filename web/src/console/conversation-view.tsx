import { useApolloClient } from '@apollo/client/react'
import { type ReactNode, useState } from 'react'
import { type LoggedFragment, RecordedConversationDocument, type RecordedFragment } from '../gql/graphql.ts'
import { usePolled } from './polled.ts'
import { Table } from './table.tsx'
import { sayBytes, sayCount, When } from './words.tsx'

interface ConversationViewProps {
  readonly id: string
  /** The owner, if the id is the owner's own; otherwise it may be empty. */
  readonly userId: string
}

/** One conversation: what it is, who watches it, and its log. */
export function ConversationView({ id, userId }: ConversationViewProps) {
  const [byChange, setByChange] = useState(false)
  const variables = { id, userId: userId || null, byChange }
  const { data, failure } = usePolled(RecordedConversationDocument, variables, 2_000)
  const record = data?.operator?.conversation
  if (failure) return <p className="console-text">{failure}</p>
  if (record === undefined) return null
  if (record === null) return <p className="console-text">There is no conversation of this id.</p>
  return (
    <>
      <Facts record={record} />
      <div className="tabs">
        <button type="button" aria-pressed={!byChange} onClick={() => setByChange(false)}>
          All, by place
        </button>
        <button type="button" aria-pressed={byChange} onClick={() => setByChange(true)}>
          Changed, by revision
        </button>
      </div>
      <Log
        key={String(byChange)}
        id={record.conversationId}
        byChange={byChange}
        newest={record.log ?? record.changed ?? []}
      />
    </>
  )
}

function Facts({ record }: { readonly record: RecordedFragment }) {
  return (
    <section className="facts" aria-label="The conversation">
      <h2>{record.ownId}</h2>
      <dl>
        <Fact name="Owner">{record.ownerId}</Fact>
        <Fact name="Id for everybody">
          <code>{record.conversationId}</code>
        </Fact>
        <Fact name="Newest message">{sayCount(record.lastSeq)}</Fact>
        <Fact name="Revision">{sayCount(Number(record.revision))}</Fact>
        <Fact name="Created">
          <When at={record.createdAt} />
        </Fact>
        <Fact name="Last change">
          <When at={record.updatedAt} />
        </Fact>
        {record.archivedAt && (
          <Fact name="Archived">
            <When at={record.archivedAt} />
          </Fact>
        )}
        {record.deletedAt && (
          <Fact name="Deleted">
            <When at={record.deletedAt} />
          </Fact>
        )}
        <Fact name="Feeds open on this server">
          {sayCount(record.watchers)}
          {record.watchedBy.length > 0 && `, for ${record.watchedBy.join(', ')}`}
        </Fact>
      </dl>
    </section>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

interface LogProps {
  readonly id: string
  readonly byChange: boolean
  /** The newest page, which is read again and again. */
  readonly newest: readonly LoggedFragment[]
}

const pageSize = 50
const heads = ['Seq', 'Revision', 'Role', 'Status', 'Author', 'Bytes', 'Stored', 'Last change']

function Log({ id, byChange, newest }: LogProps) {
  const client = useApolloClient()
  const [earlier, setEarlier] = useState<readonly LoggedFragment[]>([])
  const [isAll, setAll] = useState(false)
  // Behind the newest page there may be more by now than was read of what is earlier.
  const place = ({ seq, revision }: LoggedFragment) => (byChange ? Number(revision) : seq)
  const [oldest, next] = [newest.at(-1), earlier[0]]
  const joins = oldest !== undefined && next !== undefined && place(oldest) <= place(next) + 1
  const entries = joins ? mergeEntries(newest, earlier) : newest
  const last = entries.at(-1)
  const readEarlier = async () => {
    const before = byChange ? { beforeRevision: last?.revision } : { beforeSeq: last?.seq }
    const variables = { id, byChange, ...before }
    const { data } = await client.query({ query: RecordedConversationDocument, variables, fetchPolicy: 'no-cache' })
    const conversation = data?.operator?.conversation
    const page = conversation?.log ?? conversation?.changed ?? []
    setEarlier(mergeEntries(entries, page))
    setAll(page.length < pageSize)
  }
  if (entries.length === 0) return <p className="console-text">{byChange ? 'No message changed.' : 'No messages.'}</p>
  return (
    <>
      <Table title={byChange ? 'Messages by their last change' : 'Messages'} heads={heads} numbers={[0, 1, 5]}>
        {entries.map((entry) => (
          <Entry key={entry.messageId} entry={entry} />
        ))}
      </Table>
      {newest.length === pageSize && !(joins && isAll) && (
        <button type="button" className="button" onClick={() => void readEarlier()}>
          Earlier
        </button>
      )}
    </>
  )
}

/** Of a message that is in both, the newer page says how it is. */
function mergeEntries(newer: readonly LoggedFragment[], older: readonly LoggedFragment[]): readonly LoggedFragment[] {
  const known = new Set(newer.map(({ messageId }) => messageId))
  return [...newer, ...older.filter(({ messageId }) => !known.has(messageId))]
}

function Entry({ entry }: { readonly entry: LoggedFragment }) {
  const { seq, revision, role, status, author, bytes, createdAt, updatedAt, editedAt, deletedAt } = entry
  const isUser = author.kind === 'USER'
  return (
    <tr data-status={status}>
      <td className="number">{sayCount(seq)}</td>
      <td className="number">{revision === null ? '' : sayCount(Number(revision))}</td>
      <td>{role.toLowerCase()}</td>
      <td>
        {deletedAt ? 'deleted' : status.toLowerCase()}
        {editedAt && !deletedAt ? ', edited' : ''}
      </td>
      <td title={author.userId}>{isUser ? (author.name ?? author.userId) : `${author.name} for ${author.userId}`}</td>
      <td className="number">{sayBytes(bytes)}</td>
      <td>
        <When at={createdAt} />
      </td>
      <td>
        <When at={updatedAt} />
      </td>
    </tr>
  )
}
