import type { ContextFormat, ReasoningContent } from '../../entities/window-enums.ts'
import { aiSdk } from './ai-sdk/write.ts'
import { aiSdkModel } from './ai-sdk/write-model.ts'
import { anthropic } from './anthropic/write.ts'
import type { Dialect } from './dialect.ts'
import { openAiChat } from './openai-chat/write.ts'
import { openAiResponses } from './openai-responses/write.ts'

/** @param reasoningContent what the messages of OPENAI_CHAT have of a model's reasoning */
export function dialectOf(format: ContextFormat, reasoningContent: ReasoningContent): Dialect {
  return format === 'OPENAI_CHAT' ? openAiChat[reasoningContent] : dialects[format]
}

const dialects: Readonly<Record<Exclude<ContextFormat, 'OPENAI_CHAT'>, Dialect>> = {
  OPENAI_RESPONSES: openAiResponses,
  ANTHROPIC: anthropic,
  AI_SDK: aiSdk,
  AI_SDK_MODEL: aiSdkModel,
}
