import type { ShownApproval } from '@colloquy/client/assistant-ui'
import { Approval } from './approval.tsx'
import { Folded } from './folded.tsx'

interface ToolCallProps {
  readonly name: string
  readonly argsText: string
  /** undefined: there is none yet. */
  readonly result: unknown
  readonly isError: boolean | undefined
  /** undefined: nobody is asked. */
  readonly approval: ShownApproval | undefined
}

export function ToolCall({ name, argsText, result, isError, approval }: ToolCallProps) {
  const title = name.replaceAll('_', ' ')
  return (
    <>
      <Folded icon="tool" title={title} note={noteOf(result, isError, approval)}>
        <h3>Asked</h3>
        <pre>{pretty(argsText)}</pre>
        {result !== undefined && (
          <>
            <h3>{isError ? 'Error' : 'Result'}</h3>
            <pre>{typeof result === 'string' ? result : JSON.stringify(result, null, 2)}</pre>
          </>
        )}
      </Folded>
      {approval && <Approval title={title} argsText={pretty(argsText)} approval={approval} />}
    </>
  )
}

function noteOf(result: unknown, isError: boolean | undefined, approval: ShownApproval | undefined): string {
  if (approval?.approved === false) return 'refused'
  if (result !== undefined) return isError ? 'failed' : 'done'
  if (approval?.resolution === 'expired') return 'not answered'
  return approval !== undefined && approval.approved === undefined ? 'asks for approval' : 'waiting for its result'
}

/** JSON in lines; what is none, as it is. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
