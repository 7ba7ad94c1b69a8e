import { Icon } from '../app/icons.tsx'
import { nameOf, usePeople, useThread, wholePeople } from '../thread/thread-context.ts'

/** Takes the conversation over from agents. */
export function TakeOver() {
  const { thread, attempt } = useThread()
  const people = usePeople(wholePeople)
  if (people === null || people.takenOverBy !== null || people.viewerRole === 'OBSERVER') return null
  return (
    <button
      type="button"
      className="tool"
      aria-label="Take over"
      title="Take over: agents are silent until you hand it back"
      onClick={() => attempt(thread.takeOver())}
    >
      <Icon name="hand" />
    </button>
  )
}

/** Who has the conversation. Whoever has it hands it back, and so may the owner. */
export function TakenOver() {
  const { thread, attempt } = useThread()
  const people = usePeople(wholePeople)
  const taker = people?.takenOverBy ?? null
  const isOwn = taker === people?.viewer
  return (
    <div className="strip" role="status">
      {taker !== null && (
        <>
          <Icon name="hand" />
          <span>
            {isOwn
              ? 'You have taken this conversation over.'
              : `${nameOf(people, taker)} has taken this conversation over.`}{' '}
            Agents are silent.
          </span>
          {(isOwn || people?.viewerRole === 'OWNER') && (
            <button type="button" className="button small-button" onClick={() => attempt(thread.handBack())}>
              Hand back
            </button>
          )}
        </>
      )}
    </div>
  )
}
