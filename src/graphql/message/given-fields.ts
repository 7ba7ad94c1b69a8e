import { Field, InputType } from 'type-graphql'
import { Json, JsonObject } from '../../entities/json.ts'
import { MessageRole, PartsFormat } from '../../entities/message/message-enums.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import type { GivenMessage } from '../../storage/message/given-message.ts'
import { type GivenProperty, givenColumns, type WrittenBy } from '../../storage/message/message-columns.ts'
import { ToolCallInput } from './tool-call-input.ts'

type Giver = 'append' | 'edit' | 'completion'

/** What a caller may give in one kind of call. An append may also import. */
export type GivenBy<G extends Giver> = {
  -readonly [P in GivenProperty & WrittenBy<G extends 'append' ? G | 'import' : G>]?: GivenMessage[P]
}

interface GivenField {
  readonly type: Parameters<typeof Field>[0]
  readonly description: string
  /** Whether an append must give the field. An edit and a completion need not. */
  readonly isRequired?: true
  /** The descriptions for an edit and a completion, where they differ from that for an append. */
  readonly edit?: string
  readonly completion?: string
}

/** Who may bring times, for the descriptions. */
export const onlyImports =
  'Only an import gives it, with a service key, or on a server without identity; it lies between 1970 and now. Absent: now.'

/** The GraphQL field of each property that callers give. The table of columns says which call takes which field. */
const fields: Readonly<Record<GivenProperty, GivenField>> = {
  role: { type: () => MessageRole, description: 'Who speaks.', isRequired: true },
  name: { type: () => String, description: 'The name of the speaker, at most 255 characters.' },
  content: {
    type: () => String,
    description:
      'The text of the message. If it is absent, and `parts` are given in a known format, the text is that of the text parts, joined.',
    edit: 'The new text. If it is absent, and `parts` are given in a known format, the text is that of the text parts, joined. If the stored parts hold text, give new `parts` as well.',
    completion: 'The whole text of the message. Absent: the text of the chunks.',
  },
  clientId: {
    type: () => String,
    description:
      "The caller's own id for the message, at most 255 characters. If an append is tried again with the same id, the message is stored once.",
  },
  parts: {
    type: () => [Json],
    description: 'Typed content in the dialect of `partsFormat`, at most `MAX_PARTS` parts.',
    edit: 'The new parts, at most `MAX_PARTS`.',
  },
  partsFormat: { type: () => PartsFormat, description: 'The dialect of `parts`.' },
  toolCalls: {
    type: () => [ToolCallInput],
    description: 'The tool calls that an assistant asks for, at most `MAX_TOOL_CALLS`.',
    edit: 'The new tool calls, at most `MAX_TOOL_CALLS`.',
  },
  toolName: { type: () => String, description: 'For a TOOL message: the name of the tool.' },
  toolCallId: {
    type: () => String,
    description: 'For a TOOL message, which must have it: the call that the message answers.',
  },
  toolError: { type: () => Boolean, description: 'For a TOOL message: whether the tool failed.' },
  model: {
    type: () => String,
    description: 'The model that wrote the message.',
    completion: 'The model that wrote the message. Absent: the model given at the start.',
  },
  finishReason: { type: () => String, description: "The provider's reason why the message ended." },
  usage: { type: () => JsonObject, description: "The provider's token counts." },
  metadata: {
    type: () => JsonObject,
    description: "The caller's own data about the message, at most 16 KiB as JSON.",
    edit: 'These keys are merged into the metadata at its top level. After that it may have at most 16 KiB as JSON.',
    completion:
      'These keys are merged into the metadata at its top level. After that it may have at most 16 KiB as JSON.',
  },
  sentAt: {
    type: () => Timestamp,
    description: "The caller's own time for the message. It does not change the order.",
  },
  createdAt: {
    type: () => Timestamp,
    description: `When the message was created elsewhere. ${onlyImports} The conversation comes to the place in the list of the latest such time. It does not change the order of messages. An append that replaces a message leaves the time as it is.`,
  },
}

/** A class to extend: it has the fields that callers give in one kind of call. @param base the class that it extends */
export function givenFields<G extends Giver, Base extends object = object>(
  giver: G,
  base: abstract new () => object = Empty,
): abstract new () => Base & GivenBy<G> {
  @InputType()
  abstract class Given extends base {}
  for (const { property, writers } of givenColumns) {
    if (!writers.includes(giver) && !(giver === 'append' && writers.includes('import'))) continue
    const { type, isRequired, description, edit = description, completion = description } = fields[property]
    const nullable = giver !== 'append' || isRequired !== true
    const descriptions = { append: description, edit, completion }
    Field(type, { nullable, description: descriptions[giver] })(Given.prototype, property)
  }
  return Given as unknown as abstract new () => Base & GivenBy<G>
}

abstract class Empty {}
