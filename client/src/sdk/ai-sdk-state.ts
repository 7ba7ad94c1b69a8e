import type { UIMessage } from 'ai'
import { isRecord, isSameJson } from '../message/json.ts'

/**
 * Whether an answer is a later state of another: it says all that the other says, and more, as when text or the result of
 * a call has come. It may take the other's place, and nothing is lost. What people write has no states: it is another
 * version.
 */
export function isLaterState(later: UIMessage, earlier: UIMessage): boolean {
  if (later.role !== 'assistant' || earlier.role !== 'assistant') return false
  const isSame = isSameJson(later.parts, earlier.parts)
  return (
    earlier.parts.every((part, index) => isLaterPart(later.parts[index], part)) &&
    hasMetadata(later.metadata, earlier.metadata, isSame)
  )
}

/** Metadata is merged as an answer goes on, and its values may change then, as the count of tokens does. */
function hasMetadata(later: unknown, earlier: unknown, withValues: boolean): boolean {
  if (earlier === undefined || isSameJson(later, earlier)) return true
  if (!isRecord(earlier) || !isRecord(later)) return false
  return Object.entries(earlier).every(
    ([key, value]) => Object.hasOwn(later, key) && (!withValues || isSameJson(later[key], value)),
  )
}

/** The fields of text, reasoning and tool parts that tell their states. */
interface Part {
  readonly type: string
  readonly state?: string
  readonly text?: string
  readonly toolCallId?: string
  readonly input?: unknown
  readonly approval?: Readonly<Record<string, unknown>>
  readonly preliminary?: boolean
}

function isLaterPart(later: Part | undefined, earlier: Part): boolean {
  if (later === undefined || later.type !== earlier.type) return false
  if (isSameJson(later, earlier)) return true
  if (earlier.state === 'streaming') return later.text?.startsWith(earlier.text ?? '') === true
  return (
    earlier.toolCallId !== undefined &&
    earlier.toolCallId === later.toolCallId &&
    stageOf(later) > stageOf(earlier) &&
    (earlier.state === 'input-streaming' || isSameJson(later.input, earlier.input)) &&
    hasMetadata(later.approval, earlier.approval, true)
  )
}

/** How far a tool's call has come. */
function stageOf({ state = '', preliminary }: Part): number {
  const stage = stages.indexOf(state)
  if (stage !== -1) return stage
  return preliminary === true ? stages.length : stages.length + 1
}

/** The states of a tool part before there is an output, an error or a denial, in their order. */
const stages = ['input-streaming', 'input-available', 'approval-requested', 'approval-responded']
