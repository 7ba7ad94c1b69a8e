import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const path = (below: string) => fileURLToPath(new URL(`../../../${below}`, import.meta.url))

const files: Record<string, string> = {
  '@colloquy/client': path('client/src/index.ts'),
  '@colloquy/client/assistant-ui': path('client/src/assistant-ui.ts'),
  // It lies where React is installed.
  shown: path('web/src/shown.tsx'),
}

/**
 * A script for a browser that puts the component `Chat` of a document into the element `root`.
 *
 * @param program as it is shown, with a server of this machine on port 4000
 */
export async function bundleChat(program: string, server: { readonly url: string }): Promise<string> {
  const whole = `import { createRoot } from 'react-dom/client'
    ${program.replace('ws://127.0.0.1:4000', server.url.replace('http', 'ws'))}
    createRoot(document.getElementById('root')).render(<Chat />)`
  const build = await rolldown({
    input: 'shown',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    plugins: [
      {
        name: 'shown',
        resolveId: (id) => files[id] ?? null,
        load: (id) => (id === files.shown ? whole : null),
      },
    ],
  })
  const { output } = await build.generate({ format: 'esm' })
  await build.close()
  return output[0].code
}
