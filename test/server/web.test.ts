import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed()

/** Most bytes of what a first visit loads, compressed. */
const most = 350_000

interface Got {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** With no header but these, and the path as it is. */
async function ask(url: string, headers: Record<string, string>): Promise<Got> {
  const { hostname, port } = new URL(url)
  const path = url.slice(new URL(url).origin.length)
  const response = await new Promise<IncomingMessage>((settle, reject) => {
    request({ hostname, port, path, headers }, settle).on('error', reject).end()
  })
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) }
}

/** The files that the document names. */
async function filesOf(url: string): Promise<string[]> {
  const html = await (await fetch(`${url}/`)).text()
  return [...html.matchAll(/(?:src|href)="\.\/(web\/[^"]+)"/g)].map(([, name]) => name as string)
}

describe('the page', () => {
  test('comes with a strict policy, and names only files of this origin, by relative addresses', async () => {
    const response = await fetch(`${bed.server.url}/`)
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-cache',
      'content-type': 'text/html; charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
    const policy = response.headers.get('content-security-policy')?.split('; ')
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"]) {
      expect(policy).toContain(rule)
    }
    expect(policy?.join()).not.toMatch(/unsafe|https?:|\*/)
    const html = await response.text()
    expect(html).not.toMatch(/<style|<script(?![^>]* src=)|(src|href)="(?!\.\/web\/)/)
    const kinds = (await filesOf(bed.server.url)).map((name) => /^web\/[\w.-]+\.(js|css|svg)$/.exec(name)?.[1])
    expect(new Set(kinds)).toEqual(new Set(['js', 'css', 'svg']))
  })

  test('has files that are kept for ever, compressed as the browser likes it', async () => {
    for (const name of await filesOf(bed.server.url)) {
      const url = `${bed.server.url}/${name}`
      const ways = { br: brotliDecompressSync, gzip: gunzipSync }
      const plain = await readFile(`dist/web/${name}`)
      for (const [encoding, decompress] of Object.entries(ways)) {
        const { headers, body } = await ask(url, { 'accept-encoding': encoding })
        expect(headers).toMatchObject({
          'content-encoding': encoding,
          vary: 'accept-encoding',
          'cache-control': 'public, max-age=31536000, immutable',
          'x-content-type-options': 'nosniff',
        })
        expect(decompress(body).equals(plain)).toBe(true)
      }
      const { headers, body } = await ask(url, {})
      expect([headers['content-encoding'], body.equals(plain)]).toEqual([undefined, true])
    }
  })

  test('is not sent again when the browser has it', async () => {
    for (const name of ['', ...(await filesOf(bed.server.url))]) {
      const url = `${bed.server.url}/${name}`
      const etag = (await fetch(url)).headers.get('etag') as string
      const { status, body } = await ask(url, { 'if-none-match': etag })
      expect([status, body.length]).toEqual([304, 0])
      expect((await ask(url, { 'if-none-match': '"other"' })).status).toBe(200)
    }
  })

  test('has no file but those of its build', async () => {
    const names = [
      'index.html',
      '..%2findex.html',
      '..%2F..%2Fsrc%2Fmain.js',
      'LICENSES.txt',
      'x.js',
      '%2e%2e',
      '%00.js',
    ]
    for (const name of names)
      expect([name, (await ask(`${bed.server.url}/web/${name}`, {})).status]).toEqual([name, 404])
    const [file = ''] = await filesOf(bed.server.url)
    expect((await ask(`${bed.server.url}/${file}.br`, {})).status).toBe(404)
  })

  test('takes less than 350 KB for the first view', async () => {
    const files = await filesOf(bed.server.url)
    const sizes = files.map(async (name) => gzipSync(await readFile(`dist/web/${name}`)).length)
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    console.info(`The first view has ${Math.round(bytes / 1000)} KB, gzipped.`)
    expect(bytes).toBeLessThan(most)
  })

  test('is for this machine alone without an identity, as everything is', async () => {
    for (const path of ['/', '/web/settings.json']) {
      expect((await ask(`${bed.server.url}${path}`, { host: 'evil.example' })).status).toBe(403)
    }
  })
})

describe('the settings of the page', () => {
  test('in development: callers name themselves, and an assistant answers', async () => {
    const settings = await (await fetch(`${bed.server.url}/web/settings.json`)).json()
    expect(settings).toEqual({ isOpen: true, tokenUrl: null, openId: null, assistant: 'scripted', pictures: [] })
  })

  test('with an identity: where tokens and pictures come from, which the policy allows', async () => {
    const AUTH_SECRET = 'x'.repeat(32)
    const of = async (WEB_TOKEN_URL: string, more = {}) => {
      await using server = await serve(bed.database.url, { AUTH_SECRET, WEB: 'on', WEB_TOKEN_URL, ...more })
      const settings = await (await fetch(`${server.url}/web/settings.json`)).json()
      const { headers } = await fetch(`${server.url}/`)
      const policy = headers.get('content-security-policy')
      return [settings, ...['connect', 'img'].map((of) => policy?.match(new RegExp(`${of}-src ([^;]+)`))?.[1])]
    }
    const common = { isOpen: false, openId: null, assistant: null }
    const own = "'self' data: blob:"
    expect(await of('/token')).toEqual([{ ...common, tokenUrl: '/token', pictures: [] }, "'self'", own])
    const url = 'https://id.example/token'
    const pictures = ['https://a.example', 'https://b.example']
    expect(await of(url, { WEB_PICTURES: pictures.join() })).toEqual([
      { ...common, tokenUrl: url, pictures },
      "'self' https://id.example",
      `${own} ${pictures.join(' ')}`,
    ])
  })

  test('where it is off there is nothing', async () => {
    await using server = await serve(bed.database.url, { WEB: 'off' })
    for (const path of ['/', '/web/settings.json']) expect((await fetch(`${server.url}${path}`)).status).toBe(404)
  })
})

test('a clone serves before it has a page: it says that the page is built, or why that failed', async () => {
  buildPrograms()
  const clone = await mkdtemp(join(tmpdir(), 'clone-'))
  try {
    await mkdir(join(clone, 'scripts'))
    await cp('dist/src', join(clone, 'dist/src'), { recursive: true })
    await symlink(resolve('node_modules'), join(clone, 'node_modules'))
    const builder = `import { existsSync, writeFileSync } from 'node:fs'
      const look = setInterval(() => {
        if (!existsSync('go')) return
        clearInterval(look)
        writeFileSync('web-failed.txt', 'No <network>.')
      }, 10)`
    await writeFile(join(clone, 'scripts/build-web.js'), builder)
    await writeFile(join(clone, 'package.json'), '{ "type": "module" }')
    await using server = await ServerProcess.start(bed.database.url, {}, join(clone, 'dist'))
    const page = async () => {
      const response = await fetch(`${server.url}/`)
      return [response.status, await response.text()] as const
    }
    const [status, text] = await page()
    expect([status, text]).toEqual([503, expect.stringContaining('The page is being built')])
    expect(text).toContain('http-equiv="refresh"')
    await writeFile(join(clone, 'dist/go'), '')
    await until(async () => (await page())[1].includes('No &lt;network&gt;. The server runs without it.'))
    await cp('dist/web', join(clone, 'dist/web'), { recursive: true })
    expect((await page())[0]).toBe(200)
  } finally {
    await rm(clone, { recursive: true, force: true })
  }
})
