import { registerEnumType } from 'type-graphql'

export const MessageRole = {
  SYSTEM: 'SYSTEM',
  DEVELOPER: 'DEVELOPER',
  USER: 'USER',
  ASSISTANT: 'ASSISTANT',
  TOOL: 'TOOL',
} as const
export type MessageRole = keyof typeof MessageRole

export const MessageStatus = {
  STREAMING: 'STREAMING',
  COMPLETE: 'COMPLETE',
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
} as const
export type MessageStatus = keyof typeof MessageStatus

export const PartsFormat = {
  OPENAI_CHAT: 'OPENAI_CHAT',
  OPENAI_RESPONSES: 'OPENAI_RESPONSES',
  ANTHROPIC: 'ANTHROPIC',
  AI_SDK: 'AI_SDK',
  LANGCHAIN: 'LANGCHAIN',
  OTHER: 'OTHER',
} as const
export type PartsFormat = keyof typeof PartsFormat

registerEnumType(MessageRole, {
  name: 'MessageRole',
  description: 'Who speaks in a message.',
  valuesConfig: {
    SYSTEM: { description: 'Instructions for the model.' },
    DEVELOPER: { description: "Instructions for the model, by OpenAI's newer name." },
    USER: { description: 'A person, or a program that speaks for one.' },
    ASSISTANT: { description: 'The model; also when it only calls tools.' },
    TOOL: { description: 'The result of one tool call, named by `toolCallId`.' },
  },
})

registerEnumType(MessageStatus, {
  name: 'MessageStatus',
  description: 'Where a message stands.',
  valuesConfig: {
    STREAMING: { description: 'Still being written.' },
    COMPLETE: { description: 'Whole.' },
    FAILED: { description: 'Its producer failed; `error` says why.' },
    CANCELLED: { description: 'Stopped before it was whole.' },
  },
})

registerEnumType(PartsFormat, {
  name: 'PartsFormat',
  description: 'The dialect that `parts` is written in.',
  valuesConfig: {
    OPENAI_CHAT: { description: 'Content parts of OpenAI chat completions.' },
    OPENAI_RESPONSES: { description: 'Items and content parts of the OpenAI Responses API.' },
    ANTHROPIC: { description: 'Content blocks of the Anthropic Messages API.' },
    AI_SDK: { description: 'Parts of a UIMessage or ModelMessage of the AI SDK.' },
    LANGCHAIN: { description: 'Content blocks of LangChain messages.' },
    OTHER: { description: "The caller's own: kept and not read. A model reads `content` instead." },
  },
})
