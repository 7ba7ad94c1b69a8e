import { useMutation, useQuery } from '@apollo/client/react'
import { useEffect, useRef } from 'react'
import { Icon } from '../app/icons.tsx'
import { goTo } from '../app/place.ts'
import {
  AddPersonDocument,
  LeaveDocument,
  PeopleChangesDocument,
  type PeopleFragment,
  PeopleOfDocument,
  RemovePersonDocument,
} from '../gql/graphql.ts'
import '../style/people.css'
import { Face } from '../live/faces.tsx'
import { AddPerson } from './add-person.tsx'
import { roles } from './roles.ts'

interface PeoplePanelProps {
  readonly id: string
  readonly onClose: () => void
}

/** Who takes part in a conversation, and for its owner: who shall. */
export function PeoplePanel({ id, onClose }: PeoplePanelProps) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => ref.current?.showModal(), [])
  const { data, error } = usePeople(id)
  const conversation = data?.conversation
  return (
    <dialog ref={ref} className="people" aria-labelledby="people-title" closedby="any" onClose={onClose}>
      <div className="people-content">
        <header className="people-head">
          <h2 id="people-title">People</h2>
          <button type="button" className="tool" aria-label="Close" onClick={() => ref.current?.close()}>
            <Icon name="close" />
          </button>
        </header>
        {error && <p className="people-problem">{error.message}</p>}
        {conversation && <People id={id} conversation={conversation} viewerId={data?.viewer?.userId ?? null} />}
      </div>
    </dialog>
  )
}

interface PeopleProps {
  readonly id: string
  readonly conversation: PeopleFragment
  readonly viewerId: string | null
}

function People({ id, conversation, viewerId }: PeopleProps) {
  const isOwner = conversation.viewerRole === 'OWNER'
  const [leave, leaving] = useMutation(LeaveDocument, { variables: { id }, onCompleted: () => goTo(null) })
  const { nodes = [], pageInfo } = conversation.participants ?? {}
  const owner = nodes.find(({ role }) => role === 'OWNER')
  const others = nodes.filter((person) => person !== owner)
  return (
    <>
      <ul className="people-list">
        {[...(owner ? [owner] : []), ...others].map((person) => (
          <Person key={person.userId} id={id} person={person} isViewer={person.userId === viewerId} isOwner={isOwner} />
        ))}
      </ul>
      {pageInfo?.hasNextPage && <p className="people-hint">There are more people than are shown here.</p>}
      {isOwner ? (
        <AddPerson id={id} lastSeq={conversation.lastSeq} />
      ) : (
        <div className="people-leave">
          <button type="button" className="button" onClick={() => void leave().catch(() => {})}>
            <Icon name="leave" />
            Leave this conversation
          </button>
          <p className="people-hint">
            What you wrote stays. Only {owner?.name ?? conversation.userId} can add you again.
          </p>
          {leaving.error && <p className="people-problem">{leaving.error.message}</p>}
        </div>
      )}
    </>
  )
}

type Participant = NonNullable<PeopleFragment['participants']>['nodes'][number]

interface PersonProps {
  readonly id: string
  readonly person: Participant
  readonly isViewer: boolean
  /** Whether the viewer owns the conversation, and so may change others. */
  readonly isOwner: boolean
}

function Person({ id, person: { userId, name, picture, role, historyFrom }, isViewer, isOwner }: PersonProps) {
  const [change, changing] = useMutation(AddPersonDocument)
  const [remove, removing] = useMutation(RemovePersonDocument)
  const problem = changing.error ?? removing.error
  const called = name ?? userId
  const mayChange = isOwner && role !== 'OWNER'
  const become = (to: string) => {
    const input = { conversationId: id, userId, role: to as 'MEMBER' | 'OBSERVER' }
    change({ variables: { input } }).catch(() => {})
  }
  return (
    <li className="person">
      <Face name={called} picture={picture} />
      <span className="person-name" title={userId}>
        {called}
        {isViewer && <span className="person-note"> you</span>}
        {historyFrom !== null && <span className="person-note person-from">reads from message {historyFrom} on</span>}
      </span>
      {mayChange ? (
        <select value={role} aria-label={`Role of ${called}`} onChange={({ target }) => become(target.value)}>
          <option value="MEMBER">{roles.MEMBER}</option>
          <option value="OBSERVER">{roles.OBSERVER}</option>
        </select>
      ) : (
        <span className="person-role">{roles[role]}</span>
      )}
      {mayChange && (
        <button
          type="button"
          className="tool small"
          aria-label={`Remove ${called}`}
          title="Remove"
          onClick={() => void remove({ variables: { input: { conversationId: id, userId } } }).catch(() => {})}
        >
          <Icon name="close" />
        </button>
      )}
      {problem && <p className="people-problem">{problem.message}</p>}
    </li>
  )
}

/** Live, as long as the panel is there. */
function usePeople(id: string) {
  const found = useQuery(PeopleOfDocument, { variables: { id }, fetchPolicy: 'cache-and-network' })
  const { subscribeToMore } = found
  useEffect(() => subscribeToMore({ document: PeopleChangesDocument, variables: { id } }), [subscribeToMore, id])
  return found
}
