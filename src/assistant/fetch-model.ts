import type { ChatClient } from '../../client/src/openai.ts'
import type { AssistantConfig } from '../config.ts'

type Chunk =
  Awaited<ReturnType<ChatClient['chat']['completions']['create']>> extends AsyncIterable<infer One> ? One : never

/** Chat completions over HTTP, as OpenAI and whoever is compatible with it stream them. */
export function fetchModel({ baseUrl, key }: NonNullable<AssistantConfig['model']>): ChatClient {
  const headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  }
  return {
    chat: {
      completions: {
        create: async (body, { signal }) => {
          const url = `${baseUrl}/chat/completions`
          const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal })
          if (!response.ok || response.body === null) {
            const text = await response.text()
            throw new Error(`The model answers ${response.status}: ${text.slice(0, 500)}`)
          }
          return readChunks(response.body as unknown as AsyncIterable<Uint8Array>)
        },
      },
    },
  }
}

/** Server-sent events whose data is JSON, until the one that says `[DONE]`. */
async function* readChunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Chunk> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const data = line.startsWith('data:') ? line.slice(5).trim() : ''
      if (data === '[DONE]') return
      if (data !== '') yield JSON.parse(data)
    }
  }
}
