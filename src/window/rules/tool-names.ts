import type { ContextFormat } from '../../entities/window-enums.ts'
import { type Output, ownPart, type Said } from '../items/item.ts'
import { type Step, withItems } from '../items/step.ts'
import { toolName } from './tool-name.ts'

/** A tool whose name the provider refuses, and the name that it has in the window. */
export interface ToolNameChange {
  readonly name: string
  readonly written: string
}

export interface NamedSteps {
  readonly steps: readonly Step[]
  /** Each once, in the order of the window. */
  readonly changes: readonly ToolNameChange[]
}

/** Gives every tool of a window the name that the format takes: in calls, and in results that name tools. */
export function withToolNames(steps: readonly Step[], format: ContextFormat): NamedSteps {
  const changes = new Map<string, string>()
  const rename = (name: string) => {
    const written = changes.get(name) ?? toolName(name, format)
    if (written !== name) changes.set(name, written)
    return written
  }
  const named = steps.map((step) => {
    const calls = new Map<Said, Said>()
    for (const item of step.items) {
      // The name of a call that only one dialect knows comes from its provider.
      if (item.kind === 'call' && item.native === undefined) calls.set(item, { ...item, name: rename(item.name) })
    }
    const { answers, ...rest } = withItems(step, calls)
    const referring = answers.map(({ result, ...answer }) => ({
      ...answer,
      result: { ...result, output: result.output.map((item) => withReference(item, rename)) },
    }))
    return { ...rest, answers: referring }
  })
  return { steps: named, changes: [...changes].map(([name, written]) => ({ name, written })) }
}

/** In Anthropic's results a `tool_reference` names a tool that the caller described. */
function withReference(item: Output, rename: (name: string) => string): Output {
  const part = ownPart(item, 'ANTHROPIC')
  if (item.kind !== 'other' || part?.type !== 'tool_reference' || typeof part.tool_name !== 'string') return item
  return { ...item, raw: { ...item.raw, part: { ...part, tool_name: rename(part.tool_name) } } }
}
