import { Folded } from './folded.tsx'

interface ToolCallProps {
  readonly name: string
  readonly argsText: string
  /** undefined: there is none yet. */
  readonly result: unknown
  readonly isError: boolean | undefined
}

export function ToolCall({ name, argsText, result, isError }: ToolCallProps) {
  const note = result === undefined ? 'waiting for its result' : isError ? 'failed' : 'done'
  return (
    <Folded icon="tool" title={name.replaceAll('_', ' ')} note={note}>
      <h3>Asked</h3>
      <pre>{pretty(argsText)}</pre>
      {result !== undefined && (
        <>
          <h3>{isError ? 'Error' : 'Result'}</h3>
          <pre>{typeof result === 'string' ? result : JSON.stringify(result, null, 2)}</pre>
        </>
      )}
    </Folded>
  )
}

/** JSON in lines; what is none, as it is. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
