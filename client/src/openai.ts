/** The package's entrance for OpenAI's SDK, `@colloquy/client/openai`; it takes the SDK's client, and nothing of its code. */
export { type ChatClient, type ChatTurnOptions, runChatTurn } from './sdk/openai-chat.ts'
export { type ResponsesClient, type ResponsesTurnOptions, runResponsesTurn } from './sdk/openai-responses.ts'
export type { Tool, TurnOptions, TurnResult } from './stream/turn.ts'
