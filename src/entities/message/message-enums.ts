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

export const AuthorKind = { USER: 'USER', AGENT: 'AGENT', SERVICE: 'SERVICE' } as const
export type AuthorKind = keyof typeof AuthorKind

registerEnumType(AuthorKind, {
  name: 'AuthorKind',
  description: 'What wrote a message.',
  valuesConfig: {
    USER: { description: 'A user, with its own credentials.' },
    AGENT: { description: 'A backend with a service key, for its user.' },
    SERVICE: { description: 'A backend whose service key is that of a `service`, for its user.' },
  },
})

registerEnumType(MessageRole, {
  name: 'MessageRole',
  description: 'Who speaks in a message.',
  valuesConfig: {
    SYSTEM: { description: 'Instructions for the model.' },
    DEVELOPER: { description: 'Instructions for the model, under the newer name that OpenAI gave them.' },
    USER: { description: 'A person, or a program that speaks for a person.' },
    ASSISTANT: { description: 'The model, also when it only calls tools.' },
    TOOL: { description: 'The result of one tool call; `toolCallId` names the call.' },
  },
})

registerEnumType(MessageStatus, {
  name: 'MessageStatus',
  description: 'Whether a message is still being written, and how its writing ended.',
  valuesConfig: {
    STREAMING: { description: 'The message is still being written.' },
    COMPLETE: { description: 'The message is whole.' },
    FAILED: { description: 'The producer of the message failed; `error` says why.' },
    CANCELLED: { description: 'The message was stopped before it was whole.' },
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
    OTHER: {
      description:
        "The caller's own dialect: the server keeps such parts and does not read them. A model reads `content` instead.",
    },
  },
})
