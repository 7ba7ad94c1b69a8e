import { Field, InputType } from 'type-graphql'
import { Json, JsonObject } from '../../entities/json.ts'
import { MessageRole, PartsFormat } from '../../entities/message-enums.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import type { GivenMessage } from '../../storage/message/given-message.ts'
import { type GivenProperty, givenColumns, type WrittenBy } from '../../storage/message/message-columns.ts'
import { ToolCallInput } from './tool-call-input.ts'

type Giver = 'append' | 'edit' | 'completion'

/** What a caller may give in one kind of call. */
export type GivenBy<G extends Giver> = { -readonly [P in GivenProperty & WrittenBy<G>]?: GivenMessage[P] }

interface GivenField {
  readonly type: Parameters<typeof Field>[0]
  readonly description: string
  /** Whether an append has to give it; an edit and a completion never have to. */
  readonly isRequired?: true
  /** The descriptions where they differ from that of an append. */
  readonly edit?: string
  readonly completion?: string
}

/** Each field that callers give of a message, as GraphQL has it. The table of columns says which call takes which. */
const fields: Readonly<Record<GivenProperty, GivenField>> = {
  role: { type: () => MessageRole, description: 'Who speaks.', isRequired: true },
  name: { type: () => String, description: 'The name of the speaker, at most 255 characters.' },
  content: {
    type: () => String,
    description: 'Its text. Absent with `parts` of a known format: their text parts, joined.',
    edit: 'The new text. Absent with `parts` of a known format: their text parts, joined. A message whose parts hold text takes it only together with new `parts`.',
    completion: 'Its whole text; absent: the text of the chunks.',
  },
  clientId: {
    type: () => String,
    description:
      "The caller's own id for it, at most 255 characters: an append that is tried again with it happens once.",
  },
  parts: {
    type: () => [Json],
    description: 'Typed content in the dialect of `partsFormat`, at most `MAX_PARTS` parts.',
    edit: 'The new parts, at most `MAX_PARTS`.',
  },
  partsFormat: { type: () => PartsFormat, description: 'The dialect of `parts`.' },
  toolCalls: {
    type: () => [ToolCallInput],
    description: 'The tools that an assistant asks to be called, at most `MAX_TOOL_CALLS`.',
    edit: 'The new tool calls, at most `MAX_TOOL_CALLS`.',
  },
  toolName: { type: () => String, description: 'Of a TOOL message: the name of the tool.' },
  toolCallId: {
    type: () => String,
    description: 'Of a TOOL message, and required there: the call that it answers.',
  },
  toolError: { type: () => Boolean, description: 'Of a TOOL message: whether the tool failed.' },
  model: {
    type: () => String,
    description: 'The model that wrote it.',
    completion: 'The model that wrote it; absent: as it was started.',
  },
  finishReason: { type: () => String, description: "The provider's reason for ending there." },
  usage: { type: () => JsonObject, description: "The provider's token counts." },
  metadata: {
    type: () => JsonObject,
    description: "The caller's own data about it, at most 16 KiB as JSON.",
    edit: 'Merged into the metadata at its top level; at most 16 KiB of JSON together.',
    completion: 'Merged into the metadata at its top level; at most 16 KiB of JSON together.',
  },
  sentAt: { type: () => Timestamp, description: "The caller's own time for it; orders nothing." },
}

/** A class to extend, with the fields that callers give in one kind of call. @param base what the class itself extends */
export function givenFields<G extends Giver, Base extends object = object>(
  giver: G,
  base: abstract new () => object = Empty,
): abstract new () => Base & GivenBy<G> {
  @InputType()
  abstract class Given extends base {}
  for (const { property, writers } of givenColumns) {
    if (!writers.includes(giver)) continue
    const { type, isRequired, description, edit = description, completion = description } = fields[property]
    const nullable = giver !== 'append' || isRequired !== true
    const descriptions = { append: description, edit, completion }
    Field(type, { nullable, description: descriptions[giver] })(Given.prototype, property)
  }
  return Given as unknown as abstract new () => Base & GivenBy<G>
}

abstract class Empty {}
