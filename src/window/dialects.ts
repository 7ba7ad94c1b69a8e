import type { ContextFormat } from '../entities/window-enums.ts'
import type { Dialect } from './dialect.ts'
import { aiSdk } from './write-ai-sdk.ts'
import { aiSdkModel } from './write-ai-sdk-model.ts'
import { anthropic } from './write-anthropic.ts'
import { openAiChat } from './write-openai-chat.ts'
import { openAiResponses } from './write-openai-responses.ts'

export const dialects: Readonly<Record<ContextFormat, Dialect>> = {
  OPENAI_CHAT: openAiChat,
  OPENAI_RESPONSES: openAiResponses,
  ANTHROPIC: anthropic,
  AI_SDK: aiSdk,
  AI_SDK_MODEL: aiSdkModel,
}
