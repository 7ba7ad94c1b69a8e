import { OpenStreamsDocument } from '../gql/graphql.ts'
import { addressOf } from './place.ts'
import { usePolled } from './polled.ts'
import { Table } from './table.tsx'
import { sayBytes, sayCount, When } from './words.tsx'

const nothing = {}
const heads = ['Owner', 'Conversation', 'Seq', 'Began', 'Last sign of life', 'Fails at', 'Chunks', 'Bytes', 'Attempt']

/** Messages that are still being written, of all users: those that expire first. */
export function StreamsTable() {
  const { data, failure } = usePolled(OpenStreamsDocument, nothing, 2_000)
  const streams = data?.operator?.streams
  if (failure) return <p className="console-text">{failure}</p>
  if (!streams) return null
  if (streams.length === 0) return <p className="console-text">Nothing streams.</p>
  return (
    <>
      <p className="console-text">
        A message whose producer gives no sign of life fails at its time, within POLL_MS. One that stays behind its time
        hangs.
      </p>
      <Table title="Messages that stream" heads={heads} numbers={[2, 6, 7, 8]}>
        {streams.map((stream) => (
          <tr key={stream.messageId} data-overdue={stream.isOverdue}>
            <td>{stream.conversation.ownerId}</td>
            <td>
              <a href={addressOf('conversation', stream.conversation.conversationId)}>{stream.conversation.ownId}</a>
            </td>
            <td className="number">{sayCount(stream.seq)}</td>
            <td>
              <When at={stream.startedAt} />
            </td>
            <td>
              <When at={stream.lastSignAt} />
            </td>
            <td>
              <When at={stream.expiresAt} /> {stream.isOverdue && <span className="mark">overdue</span>}
            </td>
            <td className="number">{sayCount(stream.chunks)}</td>
            <td className="number">{sayBytes(stream.bytes)}</td>
            <td className="number">{sayCount(stream.attempt)}</td>
          </tr>
        ))}
      </Table>
    </>
  )
}
