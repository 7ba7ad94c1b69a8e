import { useApolloClient } from '@apollo/client/react'
import { useEffect, useState } from 'react'
import { type RecordedFragment, UserConversationsDocument } from '../gql/graphql.ts'
import { sayFailure } from './failure.ts'
import { addressOf } from './place.ts'
import { Table } from './table.tsx'
import { sayCount, When } from './words.tsx'

/** Finds the conversations of a user, or one conversation by an id. @param userId empty: nobody yet */
export function ConversationSearch({ userId }: { readonly userId: string }) {
  const find = (form: FormData) => {
    const [user, id] = ['user', 'id'].map((name) => String(form.get(name)).trim()) as [string, string]
    if (id !== '') location.hash = addressOf('conversation', id, ...(user === '' ? [] : [user]))
    else if (user !== '') location.hash = addressOf('conversations', user)
  }
  return (
    <>
      <form className="console-search" action={find}>
        <label className="console-field">
          <span>User</span>
          <input name="user" defaultValue={userId} maxLength={255} autoComplete="off" />
        </label>
        <label className="console-field">
          <span>Id of a conversation or a message</span>
          <input name="id" placeholder="cnv_…, msg_…, or the user's own" maxLength={255} autoComplete="off" />
        </label>
        <button type="submit" className="button main-button">
          Find
        </button>
      </form>
      {userId !== '' && <UserConversations userId={userId} />}
    </>
  )
}

interface Listed {
  readonly nodes: readonly RecordedFragment[]
  /** null: there are no more. */
  readonly end: string | null
}

function UserConversations({ userId }: { readonly userId: string }) {
  const client = useApolloClient()
  const [listed, setListed] = useState<Listed | null>(null)
  const [failure, setFailure] = useState<string | null>(null)
  const read = async (before: Listed | null) => {
    try {
      const variables = { userId, after: before?.end }
      const { data } = await client.query({ query: UserConversationsDocument, variables, fetchPolicy: 'no-cache' })
      const page = data?.operator?.conversations
      if (!page) return
      const end = page.pageInfo.hasNextPage ? (page.pageInfo.endCursor ?? null) : null
      setListed({ nodes: [...(before?.nodes ?? []), ...page.nodes], end })
    } catch (error) {
      setFailure(sayFailure(error))
    }
  }
  // Another user has another component.
  useEffect(() => void read(null), [])
  if (failure) return <p className="console-text">{failure}</p>
  if (listed === null) return null
  if (listed.nodes.length === 0) return <p className="console-text">This user takes part in no conversation.</p>
  return (
    <>
      <Table
        title={`Conversations of ${userId}`}
        heads={['Own id', 'Owner', 'Messages', 'Revision', 'Last change', 'Watchers here']}
        numbers={[2, 3, 5]}
      >
        {listed.nodes.map(({ conversationId, ownerId, ownId, lastSeq, revision, updatedAt, watchers }) => (
          <tr key={conversationId}>
            <td>
              <a href={addressOf('conversation', conversationId)}>{ownId}</a>
            </td>
            <td>{ownerId}</td>
            <td className="number">{sayCount(lastSeq)}</td>
            <td className="number">{sayCount(Number(revision))}</td>
            <td>
              <When at={updatedAt} />
            </td>
            <td className="number">{sayCount(watchers)}</td>
          </tr>
        ))}
      </Table>
      {listed.end !== null && (
        <button type="button" className="button" onClick={() => void read(listed)}>
          More
        </button>
      )}
    </>
  )
}
