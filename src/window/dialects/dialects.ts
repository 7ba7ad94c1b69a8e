import type { ContextFormat } from '../../entities/window-enums.ts'
import { aiSdk } from './ai-sdk/write.ts'
import { aiSdkModel } from './ai-sdk/write-model.ts'
import { anthropic } from './anthropic/write.ts'
import type { Dialect } from './dialect.ts'
import { openAiChat } from './openai-chat/write.ts'
import { openAiResponses } from './openai-responses/write.ts'

export const dialects: Readonly<Record<ContextFormat, Dialect>> = {
  OPENAI_CHAT: openAiChat,
  OPENAI_RESPONSES: openAiResponses,
  ANTHROPIC: anthropic,
  AI_SDK: aiSdk,
  AI_SDK_MODEL: aiSdkModel,
}
