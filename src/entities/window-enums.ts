import { registerEnumType } from 'type-graphql'

export const ContextFormat = {
  OPENAI_CHAT: 'OPENAI_CHAT',
  OPENAI_RESPONSES: 'OPENAI_RESPONSES',
  ANTHROPIC: 'ANTHROPIC',
  AI_SDK: 'AI_SDK',
  AI_SDK_MODEL: 'AI_SDK_MODEL',
} as const
export type ContextFormat = keyof typeof ContextFormat

export const OmissionReason = {
  BUDGET: 'BUDGET',
  BEFORE_FIRST_USER: 'BEFORE_FIRST_USER',
  ORPHANED_RESULT: 'ORPHANED_RESULT',
  INTERRUPTED_CALL: 'INTERRUPTED_CALL',
  STREAMING: 'STREAMING',
  EMPTY: 'EMPTY',
  UNSUPPORTED_PART: 'UNSUPPORTED_PART',
  TOOL_NAME: 'TOOL_NAME',
  CACHE_MARK: 'CACHE_MARK',
  REPEATED_ITEM: 'REPEATED_ITEM',
  IMAGE_LIMIT: 'IMAGE_LIMIT',
  REASONING: 'REASONING',
} as const
export type OmissionReason = keyof typeof OmissionReason

export const ReasoningContent = {
  NONE: 'NONE',
  TOOL_CALLS: 'TOOL_CALLS',
  ALL: 'ALL',
} as const
export type ReasoningContent = keyof typeof ReasoningContent

export const PendingCallRule = {
  INTERRUPT: 'INTERRUPT',
  OMIT: 'OMIT',
  KEEP: 'KEEP',
} as const
export type PendingCallRule = keyof typeof PendingCallRule

export const TokenEncoding = {
  O200K_BASE: 'O200K_BASE',
  CL100K_BASE: 'CL100K_BASE',
} as const
export type TokenEncoding = keyof typeof TokenEncoding

registerEnumType(ContextFormat, {
  name: 'ContextFormat',
  description: 'The API or SDK that a window is written for.',
  valuesConfig: {
    OPENAI_CHAT: { description: '`messages` of OpenAI chat completions.' },
    OPENAI_RESPONSES: { description: '`input` items of the OpenAI Responses API.' },
    ANTHROPIC: { description: '`messages` of the Anthropic Messages API; the instructions are in `system`.' },
    AI_SDK: {
      description:
        'UIMessage[] of the AI SDK, as `useChat` and `convertToModelMessages` take it; the instructions are in `system`.',
    },
    AI_SDK_MODEL: {
      description:
        '`messages` of `generateText` and `streamText` of the AI SDK (ModelMessage[]); the instructions are in `system`.',
    },
  },
})

registerEnumType(OmissionReason, {
  name: 'OmissionReason',
  description: 'Why something of the conversation is not in a window, or was changed in it.',
  valuesConfig: {
    BUDGET: { description: 'Older turns did not fit.' },
    BEFORE_FIRST_USER: {
      description: 'Messages before the first message of the user were left out: a window cannot begin with them.',
    },
    ORPHANED_RESULT: {
      description: 'Results without their call were left out, and calls with a result that such a call cannot have.',
    },
    INTERRUPTED_CALL: {
      description:
        'Calls without a result got a result that says that the call was interrupted. They were left out where the format has no such result, and where `pendingCalls` is OMIT.',
    },
    STREAMING: { description: 'Messages that are still being written were left out.' },
    EMPTY: { description: 'Messages that say nothing in this format were left out.' },
    UNSUPPORTED_PART: {
      description: 'Parts that this format cannot express, and files that its provider does not take, were left out.',
    },
    TOOL_NAME: { description: 'Names of tools that the provider refuses were changed, as `toolNames` says.' },
    CACHE_MARK: {
      description:
        "Marks for a provider's cache were left out. They belong to an earlier request, and not to a message.",
    },
    IMAGE_LIMIT: { description: 'The oldest pictures were left out: the window had more of them than `maxImages`.' },
    REASONING: {
      description:
        "Reasoning of this format's provider was left out, and with it the ids of the items behind it: its message failed or was cancelled, nothing followed it, or it cannot be verified. No reason is given for reasoning of other formats, nor in OPENAI_CHAT, where `reasoningContent` chooses.",
    },
    REPEATED_ITEM: {
      description: 'Items that were stored more than once, by the id of their provider, are there once.',
    },
  },
})

registerEnumType(ReasoningContent, {
  name: 'ReasoningContent',
  description: "What messages of OPENAI_CHAT have of the model's reasoning.",
  valuesConfig: {
    NONE: { description: "Nothing: OpenAI's API has no field for it." },
    TOOL_CALLS: {
      description:
        'The reasoning of messages that call tools, as DeepSeek and Kimi want it back. A message with calls and without reasoning has a space, because they refuse a message that has nothing.',
    },
    ALL: { description: 'The reasoning of all messages, and a space as TOOL_CALLS has it.' },
  },
})

registerEnumType(PendingCallRule, {
  name: 'PendingCallRule',
  description:
    'What becomes of calls that wait. A call waits if it is in the last step of the assistant, has no result, and nothing follows this step but its results and approvals, and no `userMessage`.',
  valuesConfig: {
    INTERRUPT: { description: 'They get a result that says that they were interrupted. Every provider accepts this.' },
    OMIT: { description: 'They are left out, with the reasoning that led to nothing else.' },
    KEEP: {
      description:
        'They stay without a result, in formats that can say that a call waits: AI_SDK, AI_SDK_MODEL, and requests for approval in OPENAI_RESPONSES. Other calls are treated as with INTERRUPT.',
    },
  },
})

registerEnumType(TokenEncoding, {
  name: 'TokenEncoding',
  description:
    'How text is cut into tokens. Models of other providers cut it in their own ways: for them every count is an estimate.',
  valuesConfig: {
    O200K_BASE: { description: "The encoding of OpenAI's models since GPT-4o." },
    CL100K_BASE: { description: "The encoding of OpenAI's GPT-4 and GPT-3.5." },
  },
})
