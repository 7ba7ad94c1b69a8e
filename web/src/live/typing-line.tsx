import { usePeople, useShown } from '../thread/thread-context.ts'

/** Who else types; its place is kept where several people are. */
export function TypingLine() {
  const isShared = usePeople((people) => people?.present != null)
  const names = useShown(({ typing }) => typing).map(({ name }) => name)
  if (!isShared) return null
  return (
    <p className="typing" role="status">
      {names.length > 0 && <span className="typing-mark" aria-hidden="true" />}
      {say(names)}
    </p>
  )
}

function say(names: readonly string[]): string {
  const [one, other] = names
  if (one === undefined) return ''
  if (names.length > 2) return `${names.length} people are typing …`
  return other === undefined ? `${one} is typing …` : `${one} and ${other} are typing …`
}
