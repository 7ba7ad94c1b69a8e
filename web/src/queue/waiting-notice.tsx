import { useMutation, useQuery } from '@apollo/client/react'
import { useState } from 'react'
import { StopWaitingDocument, TakeWaitingDocument, WaitingDocument } from '../gql/graphql.ts'
import { sayWhen } from '../list/when.ts'
import { sayProblem } from './say-problem.ts'

/** That the open conversation waits for a person, and what its viewer can do about that. The feed of the list keeps it. */
export function WaitingNotice({ id }: { readonly id: string }) {
  const { data } = useQuery(WaitingDocument, { variables: { id }, fetchPolicy: 'cache-and-network' })
  const [take, taking] = useMutation(TakeWaitingDocument, { variables: { id } })
  const [stop, stopping] = useMutation(StopWaitingDocument, { variables: { id } })
  const [problem, setProblem] = useState<string | null>(null)
  const conversation = data?.conversation
  if (!conversation?.waiting) return null
  const isOwn = conversation.viewerRole === 'OWNER'
  const { since, reason } = conversation.waiting
  const act = (run: () => Promise<unknown>) => () => run().catch((error) => setProblem(sayProblem(error)))
  return (
    <section className="wait-notice" aria-label="Waiting for a person">
      <p role="status" title={reason ?? undefined}>
        <strong>Waiting for a person</strong> since <time dateTime={since}>{sayWhen(since)}</time>
        {reason === null ? '.' : `: ${reason}`}
        {problem !== null && <span className="wait-notice-problem"> {problem}</span>}
      </p>
      {isOwn ? (
        <button type="button" className="button" disabled={stopping.loading} onClick={act(stop)}>
          Never mind
        </button>
      ) : (
        <button type="button" className="button main-button" disabled={taking.loading} onClick={act(take)}>
          Take over
        </button>
      )}
    </section>
  )
}
