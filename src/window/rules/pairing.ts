import type { Call, Result } from '../items/item.ts'
import type { Answer, Step } from '../items/step.ts'
import type { Entry } from './entry.ts'

/** The tokens that the result of an interrupted call counts. */
export const interruptedTokens = 20

/**
 * Puts every result to its call: the nearest earlier one of that id that has none yet. A result without a call is left out; a
 * call without a result is given one that says so.
 *
 * @param entries of one turn, oldest first
 */
export function pair(entries: readonly Entry[]): Step[] {
  const steps = entries.flatMap((entry) => ('items' in entry ? [{ entry, answers: new Map<Call, Answer>() }] : []))
  const open = new Map<string, Asked[]>()
  const byPart = new Map<unknown, Asked>()
  let at = 0
  for (const entry of entries) {
    if ('items' in entry) {
      const answers = steps[at++]?.answers
      for (const call of entry.items) {
        if (call.kind !== 'call' || answers === undefined) continue
        const asked = { call, answers }
        const opened = open.get(call.callId)
        if (opened) opened.push(asked)
        else open.set(call.callId, [asked])
        if (call.raw !== null) byPart.set(call.raw.part, asked)
      }
    } else {
      const { callId, raw } = entry.result
      const asked = takeCall(open.get(callId) ?? [], byPart.get(raw?.part))
      asked?.answers.set(asked.call, { call: asked.call, result: entry.result, message: entry.message })
    }
  }
  return steps.map(({ entry: { message, items }, answers }) => {
    const calls = items.filter((item) => item.kind === 'call')
    return { message, items, answers: calls.map((call) => answers.get(call) ?? interrupted(call)) }
  })
}

interface Asked {
  readonly call: Call
  readonly answers: Map<Call, Answer>
}

/**
 * A result that is one part with its call, as the AI SDK has them, is of no other. A call that was answered so is passed by
 * where it stands among the open ones, for looking it up there for each result takes the square of their number.
 */
function takeCall(open: Asked[], own: Asked | undefined): Asked | undefined {
  let asked = own
  while (asked === undefined || asked.answers.has(asked.call)) {
    if (open.length === 0) return undefined
    asked = open.pop()
  }
  return asked
}

function interrupted(call: Call): Answer {
  const text = 'Interrupted: this call was not answered.'
  const result: Result = {
    kind: 'result',
    callId: call.callId,
    name: call.name,
    isError: true,
    output: [{ kind: 'text', text, raw: null }],
    raw: null,
  }
  return { call, result, message: null }
}
