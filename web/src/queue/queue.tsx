import { useMutation, useQuery, useSubscription } from '@apollo/client/react'
import { useEffect, useState } from 'react'
import { Icon } from '../app/icons.tsx'
import {
  JoinWaitingDocument,
  SupportingDocument,
  WaitingChangesDocument,
  type WaitingChangesSubscription,
} from '../gql/graphql.ts'
import { sayWhen } from '../list/when.ts'
import { sayProblem } from './say-problem.ts'

interface QueueProps {
  readonly current: string | null
  readonly onOpen: (id: string) => void
}

/** What waits for a person in the conversations of others, for a user who supports. */
export function Queue(props: QueueProps) {
  const { data } = useQuery(SupportingDocument)
  return data?.viewer?.isSupporter ? <LiveQueue {...props} /> : null
}

/** Before what the server could not tell is asked for again. */
const pauseMs = 5_000

/** The server counts so far. */
const mostCounted = 1_000

type Waiting = NonNullable<WaitingChangesSubscription['waitingConversationsChanged']>['nodes'][number]

function LiveQueue({ current, onOpen }: QueueProps) {
  const { data, error, restart } = useSubscription(WaitingChangesDocument, { fetchPolicy: 'no-cache' })
  useEffect(() => {
    if (!error) return
    const timer = setTimeout(restart, pauseMs)
    return () => clearTimeout(timer)
  }, [error, restart])
  const [join] = useMutation(JoinWaitingDocument)
  const [problem, setProblem] = useState<string | null>(null)
  const { count, nodes } = data?.waitingConversationsChanged ?? { count: 0, nodes: [] }
  // What the user owns has an id of the user's own.
  const others = nodes.filter(({ conversationId }) => conversationId.startsWith('cnv_'))
  const size = count - (nodes.length - others.length)
  const open = async (id: string) => {
    setProblem(null)
    try {
      await join({ variables: { id } })
      onOpen(id)
    } catch (error) {
      setProblem(sayProblem(error))
    }
  }
  const said = size >= mostCounted ? `${mostCounted}+` : String(size)
  return (
    <section className="queue" aria-labelledby="queue-title" data-empty={size === 0 && problem === null}>
      <p className="hidden" role="status">
        {size === 0 ? '' : `Waiting for a person: ${said}`}
      </p>
      <h2 id="queue-title" className="queue-title">
        Waiting for a person
        {size > 0 && <span className="queue-count">{said}</span>}
      </h2>
      <ul className="queue-list">
        {others.map((waiting) => (
          <li key={waiting.conversationId}>
            <Item waiting={waiting} current={current} onOpen={open} />
          </li>
        ))}
      </ul>
      {problem !== null && (
        <p className="queue-problem" role="alert">
          <Icon name="alert" />
          {problem}
        </p>
      )}
    </section>
  )
}

interface ItemProps {
  readonly waiting: Waiting
  readonly current: string | null
  readonly onOpen: (id: string) => void
}

function Item({ waiting, current, onOpen }: ItemProps) {
  const { conversationId: id, ownerId, ownerName, title, since, reason } = waiting
  const owner = ownerName ?? ownerId
  return (
    <button type="button" className="queue-item" aria-current={id === current} onClick={() => onOpen(id)}>
      <span className="queue-line">
        <span className="list-title">{title ?? 'Untitled'}</span>
        <time dateTime={since}>{sayWhen(since)}</time>
      </span>
      <span className="queue-reason">{reason === null ? owner : `${owner}: ${reason}`}</span>
    </button>
  )
}
