import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const client = new URL('../client/src/', import.meta.url).pathname
/** Where `npm run dev` finds a server. */
const server = process.env.COLLOQUY_URL ?? 'http://127.0.0.1:4000'

export default defineConfig({
  plugins: [react()],
  // All addresses are relative, so that the page also works below a path of a proxy.
  base: './',
  resolve: {
    alias: [
      { find: /^@colloquy\/client$/, replacement: `${client}index.ts` },
      { find: /^@colloquy\/client\/(.*)$/, replacement: `${client}$1.ts` },
    ],
    // The client's sources lie elsewhere, where other copies are installed.
    dedupe: ['graphql-ws', 'graphql'],
  },
  build: {
    outDir: '../dist/web-next',
    emptyOutDir: true,
    assetsDir: 'web',
    // The policy of the page takes no styles and no scripts from the document.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_200,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  server: { proxy: { '/graphql': { target: server, ws: true, changeOrigin: true }, '/web/settings.json': server } },
})
