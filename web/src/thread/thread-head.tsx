import { useApolloClient, useFragment, useMutation } from '@apollo/client/react'
import { lazy, Suspense, useRef, useState } from 'react'
import { Icon, type IconName } from '../app/icons.tsx'
import { goTo } from '../app/place.ts'
import { DeleteConversationDocument, ListedFragmentDoc, UpdateConversationDocument } from '../gql/graphql.ts'
import { Here } from '../live/here.tsx'
import { TakeOver } from '../live/taken-over.tsx'
import { exportConversation } from './export-conversation.ts'
import { usePeople } from './thread-context.ts'

const PeoplePanel = lazy(() => import('../people/people-panel.tsx').then((module) => ({ default: module.PeoplePanel })))

interface ThreadHeadProps {
  readonly id: string
  readonly title: string | null
  readonly isThere: boolean
  readonly onOpenList: () => void
}

export function ThreadHead({ id, title, isThere, onOpenList }: ThreadHeadProps) {
  return (
    <header className="thread-head">
      <button type="button" className="tool only-narrow" aria-label="Open the list" onClick={onOpenList}>
        <Icon name="menu" />
      </button>
      {isThere ? <Actions id={id} title={title} /> : <h1 className="thread-title">New conversation</h1>}
    </header>
  )
}

function Actions({ id, title }: { readonly id: string; readonly title: string | null }) {
  const [isRenaming, setRenaming] = useState(false)
  const [isPeopleOpen, setPeopleOpen] = useState(false)
  const client = useApolloClient()
  const [update] = useMutation(UpdateConversationDocument)
  const [remove] = useMutation(DeleteConversationDocument, { variables: { id } })
  const question = useRef<HTMLDialogElement>(null)
  const role = usePeople((people) => people?.viewerRole ?? null)
  const { data } = useFragment({ fragment: ListedFragmentDoc, from: { __typename: 'Conversation', id } })
  const isArchived = Boolean(data?.archivedAt)
  const archive = () => void update({ variables: { input: { id, archived: !isArchived } } })
  const rename = (form: FormData) => {
    setRenaming(false)
    void update({ variables: { input: { id, title: String(form.get('title')).trim() || null } } })
  }
  if (isRenaming) {
    return (
      <form className="rename" action={rename}>
        <input
          name="title"
          aria-label="Title"
          defaultValue={title ?? ''}
          maxLength={1000}
          ref={(input) => input?.select()}
          onKeyDown={({ key }) => key === 'Escape' && setRenaming(false)}
        />
        <button type="submit" className="tool" aria-label="Save the title">
          <Icon name="check" />
        </button>
      </form>
    )
  }
  return (
    <>
      <h1 className="thread-title">{title ?? 'Untitled'}</h1>
      <Here />
      <div className="tools">
        <TakeOver />
        <Tool icon="people" label="People" onUse={() => setPeopleOpen(true)} />
        {role === 'OWNER' && <Tool icon="pencil" label="Rename" onUse={() => setRenaming(true)} />}
        <Tool icon="download" label="Export as JSON" onUse={() => void exportConversation(client, id)} />
        {role === 'OWNER' && (
          <>
            <Tool
              icon={isArchived ? 'restore' : 'archive'}
              label={isArchived ? 'Restore' : 'Archive'}
              onUse={archive}
            />
            <Tool icon="trash" label="Delete" onUse={() => question.current?.showModal()} />
          </>
        )}
      </div>
      {isPeopleOpen && (
        <Suspense>
          <PeoplePanel id={id} onClose={() => setPeopleOpen(false)} />
        </Suspense>
      )}
      <dialog ref={question} className="question" aria-labelledby="delete-question">
        <form method="dialog">
          <h2 id="delete-question">Delete this conversation?</h2>
          <p>All of its messages are deleted for good.</p>
          <div className="question-answers">
            <button type="submit">Keep it</button>
            <button
              type="submit"
              className="danger"
              onClick={() => {
                void remove()
                goTo(null)
              }}
            >
              Delete
            </button>
          </div>
        </form>
      </dialog>
    </>
  )
}

interface ToolProps {
  readonly icon: IconName
  readonly label: string
  readonly onUse: () => void
}

function Tool({ icon, label, onUse }: ToolProps) {
  return (
    <button type="button" className="tool" aria-label={label} title={label} onClick={onUse}>
      <Icon name={icon} />
    </button>
  )
}
