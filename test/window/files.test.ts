import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/entities/message/message.ts'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { type ContextWindow, WindowBuilder } from '../../src/window/window.ts'
import { addressPlaces, bytesOf, bytesPlaces, type FilePlace, tellFile } from '../support/window/file-parts.ts'
import { storedMessage } from '../support/window/transcripts.ts'
import { readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)

/** A window that was also read as its provider would, and by the AI SDK where it is one of its own. */
async function buildValid(format: ContextFormat, fields: readonly Partial<Message>[]): Promise<ContextWindow> {
  const request = { format, maxTokens: 1_000_000, reserve: 0, system: null, userMessage: null }
  const builder = new WindowBuilder(request, [])
  const messages = fields.map((field, index) => storedMessage(index + 1, field))
  builder.add(messages.map((message) => ({ message, tokens: 10, reasoningTokens: 0 })).reverse())
  const window = builder.finish()
  readAsProvider(format, window)
  if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
  return window
}

function takesFilesIn({ isResult }: FilePlace, format: ContextFormat): boolean {
  return !isResult || (format !== 'OPENAI_CHAT' && format !== 'AI_SDK')
}

const png = bytesOf['image/png'] as string
const percentEncoded = Buffer.from(png, 'base64')
  .toString('hex')
  .replace(/../g, (digits) => `%${digits}`)

describe('an address goes out when anybody can read it, from every place of every dialect', () => {
  const atExample: [name: string, given: string, goesOut: string][] = [
    ['https', 'https://example.com/cat.png?a=1#b', 'https://example.com/cat.png?a=1#b'],
    ['http', 'http://example.com:8080/cat', 'http://example.com:8080/cat'],
    ['capital letters', 'HTTPS://Example.com/Cat.png', 'https://Example.com/Cat.png'],
    ['mixed letters', 'Http://example.com/cat.png', 'http://example.com/cat.png'],
    ['white space around it', ' https://example.com/cat.png\n', 'https://example.com/cat.png'],
    ['white space in it', 'https://example.com/my cat.png', 'https://example.com/my%20cat.png'],
  ]
  const inside: [name: string, given: string, goesOut: string][] = [
    ['bytes', `data:image/png;base64,${png}`, png],
    ['bytes in capital letters', `DATA:IMAGE/PNG;BASE64,${png}`, png],
    ['bytes with parameters', `data:image/png;charset=binary;name=a.png;base64,${png}`, png],
    ['bytes in the alphabet of URLs', `data:image/png;base64,${Buffer.from(png, 'base64').toString('base64url')}`, png],
    ['bytes in lines', `data:image/png;base64,${png.replace(/.{20}/g, '$&\r\n')}`, png],
    ['bytes with an escaped end', `data:image/png;base64,${encodeURIComponent(png)}`, png],
    ['bytes in percents', `data:image/png,${percentEncoded}`, png],
  ]

  test.each([...atExample, ...inside])('%s', async (_name, given, goesOut) => {
    for (const place of addressPlaces) {
      for (const format of formats) {
        const { messages, reasons } = await buildValid(format, tellFile(place, given))
        const isKept = takesFilesIn(place, format)
        const where = { place: place.name, format }
        expect({ ...where, isKept: JSON.stringify(messages).includes(goesOut) }).toEqual({ ...where, isKept })
        expect({ ...where, reasons }).toMatchObject({ reasons: isKept ? [] : ['UNSUPPORTED_PART'] })
      }
    }
  })

  test.each([
    'blob:https://example.com/0d1f',
    'BLOB:https://example.com/0d1f',
    '/uploads/cat.png',
    'uploads/cat.png',
    './cat.png',
    '//example.com/cat.png',
    'gs://bucket/cat.png',
    's3://bucket/cat.png',
    'file:///home/ada/cat.png',
    'ipfs://bafy/cat.png',
    'ftp://example.com/cat.png',
    'content://media/1.png',
    'javascript:alert(1)',
    'about:blank',
    'attachment:0',
    'https://',
    'https:/cat.png',
    'https:example.com/cat.png',
    'https://ada:secret@example.com/cat.png',
    'https://[bad]/cat.png',
    'no address, but words',
    'data:',
    'data:image/png;base64,',
    'data:image/png;base64',
    'data:image/png;base64,@@@@',
    'data:image/png;base64,AAAAA',
    `data:image/png;base64,blob:https://example.com/0d1f`,
    'data:image/png,%8',
    'data:image/png,',
    '',
  ])('and is left out with a reason when nobody can: %j', async (given) => {
    for (const place of addressPlaces) {
      for (const format of formats) {
        const { messages, reasons } = await buildValid(format, tellFile(place, given))
        const [where, text] = [{ place: place.name, format }, JSON.stringify(messages)]
        expect({ ...where, reasons }).toEqual({ ...where, reasons: expect.arrayContaining(['UNSUPPORTED_PART']) })
        if (given !== '') expect({ ...where, isThere: text.includes(given) }).toEqual({ ...where, isThere: false })
        expect({ ...where, has: /image_url|"image"|"file"/.test(text) }).toEqual({ ...where, has: false })
      }
    }
  })
})

describe('a file goes out with the type that its bytes tell, in the spelling of the provider', () => {
  const pictures = ['image/png', 'image/jpeg', 'image/gif', 'image/webp']
  const taken: Record<ContextFormat, readonly string[]> = {
    OPENAI_CHAT: [...pictures, 'application/pdf', 'audio/wav', 'audio/mpeg'],
    OPENAI_RESPONSES: [...pictures, 'application/pdf'],
    ANTHROPIC: [...pictures, 'application/pdf'],
    AI_SDK: Object.keys(bytesOf),
    AI_SDK_MODEL: Object.keys(bytesOf),
  }
  const spellings: [name: string, spell: (type: string) => string][] = [
    ['the type itself', (type) => type],
    ['capital letters', (type) => type.toUpperCase()],
    ['a parameter', (type) => `${type}; charset=binary`],
    ['white space', (type) => ` ${type} `],
    ['another spelling', (type) => type.replace('image/jpeg', 'image/pjpeg').replace('image/png', 'image/x-png')],
    ['image/jpg', () => 'image/jpg'],
    ['a wrong type', (type) => (type === 'image/png' ? 'image/jpeg' : 'image/png')],
    ['no type', () => ''],
    ['a kind', () => 'image/*'],
    ['application/octet-stream', () => 'application/octet-stream'],
  ]

  test.each(spellings)('named by %s', async (_name, spell) => {
    for (const [type, data] of Object.entries(bytesOf)) {
      for (const place of bytesPlaces) {
        for (const format of formats) {
          const { messages, reasons } = await buildValid(format, tellFile(place, data, spell(type)))
          const text = JSON.stringify(messages)
          const isKept = taken[format].includes(type) && takesFilesIn(place, format)
          const where = { type, place: place.name, format }
          expect({ ...where, isKept: text.includes(data) }).toEqual({ ...where, isKept })
          expect({ ...where, told: reasons.includes('UNSUPPORTED_PART') }).toEqual({ ...where, told: !isKept })
          const spelled = format === 'OPENAI_CHAT' && type.startsWith('audio/') ? '"format":"' : type
          if (isKept) expect({ ...where, spelled: text.includes(spelled) }).toEqual({ ...where, spelled: true })
        }
      }
    }
  })

  test.each(['svg', 'svg?v=2', 'SVG#a', 'heic', 'bmp', 'tiff', 'avif', 'ico'])(
    'by the end of its URL where no type is named: %s is left out',
    async (suffix) => {
      for (const place of addressPlaces) {
        for (const format of formats) {
          const { reasons } = await buildValid(format, tellFile(place, `https://example.com/cat.${suffix}`, 'image/*'))
          const isKept = format.startsWith('AI_SDK') && takesFilesIn(place, format)
          const where = { place: place.name, format }
          expect({ ...where, reasons }).toMatchObject({ reasons: isKept ? [] : expect.arrayContaining([reasonOf]) })
        }
      }
    },
  )
  const reasonOf = 'UNSUPPORTED_PART'

  test('by the type that is named beside a URL', async () => {
    const typed = addressPlaces.filter(({ parts }) => JSON.stringify(parts('', 'image/x-test')).includes('x-test'))
    expect(typed.length).toBeGreaterThan(4)
    for (const place of typed) {
      for (const [named, isPicture] of [
        ['image/JPG', true],
        ['image/svg+xml', false],
        ['image/vnd.adobe.photoshop', false],
      ] as const) {
        for (const format of formats) {
          const { reasons } = await buildValid(format, tellFile(place, 'https://example.com/cat', named))
          const isKept = (isPicture || format.startsWith('AI_SDK')) && takesFilesIn(place, format)
          const where = { named, place: place.name, format }
          expect({ ...where, isKept: reasons.length === 0 }).toEqual({ ...where, isKept })
        }
      }
    }
  })

  test('a GIF that moves is left out for OpenAI', async () => {
    const still = Buffer.from(bytesOf['image/gif'] as string, 'base64')
    const moving = Buffer.concat([still, Buffer.from('NETSCAPE2.0', 'latin1'), still]).toString('base64')
    for (const place of bytesPlaces) {
      for (const format of formats) {
        const { reasons } = await buildValid(format, tellFile(place, moving, 'image/gif'))
        const isKept = !format.startsWith('OPENAI') && takesFilesIn(place, format)
        const where = { place: place.name, format }
        expect({ ...where, isKept: reasons.length === 0 }).toEqual({ ...where, isKept })
      }
    }
  })

  test('documents go out as their provider takes them', async () => {
    const text = Buffer.from('a,b\n1,ü').toString('base64')
    const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
    const zip = Buffer.from('PK\u0003\u0004 and more').toString('base64')
    const outcomes = async (data: string, type: string) => {
      const found: Record<string, boolean> = {}
      for (const format of formats) {
        const parts = [{ type: 'file', mediaType: type, url: `data:${type};base64,${data}`, filename: 'a' }]
        const window = await buildValid(format, [{ role: 'USER', parts, partsFormat: 'AI_SDK' }])
        found[format] = window.reasons.length === 0
      }
      return found
    }
    const all = { OPENAI_CHAT: true, OPENAI_RESPONSES: true, ANTHROPIC: true, AI_SDK: true, AI_SDK_MODEL: true }
    expect(await outcomes(text, 'text/csv')).toEqual(all)
    expect(await outcomes(text, 'text/markdown; charset=utf-8')).toEqual(all)
    expect(await outcomes(zip, docx)).toEqual({ ...all, OPENAI_CHAT: false, ANTHROPIC: false })
    const left = { ...all, OPENAI_CHAT: false, OPENAI_RESPONSES: false, ANTHROPIC: false }
    expect(await outcomes(zip, 'application/zip')).toEqual(left)
    expect(await outcomes(zip, 'video/mp4')).toEqual(left)
    expect(await outcomes(zip, 'audio/ogg')).toEqual(left)
  })
})

test('a part that is right is given back as it is in its own dialect', async () => {
  for (const place of [...addressPlaces, ...bytesPlaces]) {
    const format = place.format as ContextFormat
    const isDocument = place.name.endsWith('file')
    const [data, type] = isDocument ? [bytesOf['application/pdf'] as string, 'application/pdf'] : [png, 'image/png']
    const given = addressPlaces.includes(place) ? 'https://example.com/cat.png' : data
    const [part] = place.parts(given, type)
    if (!formats.includes(format) || format.startsWith('AI_SDK')) continue
    const { messages } = await buildValid(format, tellFile(place, given, type))
    const found = findEqual(messages, part)
    expect({ place: place.name, found }).toEqual({ place: place.name, found: true })
  }
})

function findEqual(value: unknown, part: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  try {
    expect(value).toEqual(part)
    return true
  } catch {
    return Object.values(value).some((inner) => findEqual(inner, part))
  }
}

test.each(['https://example.com/a.mp4', 'data:video/mp4;base64,AAAA', 'blob:https://example.com/1', 'gs://b/a.mp4'])(
  'a part that only other providers know goes out with an address that they can fetch: %s',
  async (url) => {
    const video = { type: 'video_url', video_url: { url } }
    const fields: Partial<Message>[] = [
      { role: 'USER', parts: [{ type: 'text', text: 'See.' }, video], partsFormat: 'OPENAI_CHAT' },
    ]
    const { reasons } = await buildValid('OPENAI_CHAT', fields)
    expect(reasons).toEqual(/^(https|data):/.test(url) ? [] : ['UNSUPPORTED_PART'])
  },
)

test('a document of texts and pictures goes to ANTHROPIC whole, or not at all', async () => {
  const image = (source: object) => ({ type: 'image', source })
  const document = (...content: object[]) => ({
    type: 'document',
    title: 'Both',
    source: { type: 'content', content: [{ type: 'text', text: 'See.' }, ...content] },
  })
  const ask = (part: object) =>
    buildValid('ANTHROPIC', [{ role: 'USER', parts: [{ type: 'text', text: '?' }, part], partsFormat: 'ANTHROPIC' }])
  const jpeg = bytesOf['image/jpeg'] as string
  const right = await ask(document(image({ type: 'base64', media_type: 'image/jpg', data: jpeg })))
  expect(right).toMatchObject({ reasons: [] })
  const written = document(image({ type: 'base64', media_type: 'image/jpeg', data: jpeg }))
  expect(right.messages).toEqual([{ role: 'user', content: [{ type: 'text', text: '?' }, written] }])
  const wrong = await ask(document(image({ type: 'url', url: 'blob:https://example.com/1' })))
  expect(wrong).toMatchObject({ reasons: ['UNSUPPORTED_PART'] })
})

test.each(['blob:https://example.com/1', '/a.png', 'https://example.com/a.png'])(
  'a file of reasoning goes to the AI SDK with an address that it can read: %s',
  async (url) => {
    const parts = [
      { type: 'text', text: 'See.' },
      { type: 'reasoning-file', mediaType: 'image/png', url },
      { type: 'text', text: 'So.' },
    ]
    const fields: Partial<Message>[] = [
      { role: 'USER', content: '?' },
      { role: 'ASSISTANT', parts, partsFormat: 'AI_SDK' },
    ]
    const { reasons } = await buildValid('AI_SDK', fields)
    expect(reasons).toEqual(url.startsWith('https') ? [] : ['UNSUPPORTED_PART'])
  },
)

test('a stored item of the Responses API loses only the files that cannot go out', async () => {
  const text = { type: 'input_text', text: 'See.' }
  const image = (image_url: string) => ({ type: 'input_image', image_url, detail: 'low' })
  const right = image('https://example.com/cat.png')
  const byId = { type: 'input_image', file_id: 'file-1', detail: 'auto' }
  const item = (...content: unknown[]) => ({ type: 'message', id: 'msg_1', role: 'user', content })
  const given = item(image('blob:https://example.com/1'), text, right, byId, image('HTTPS://example.com/b.png'))
  const { messages } = await buildValid('OPENAI_RESPONSES', [
    { role: 'USER', parts: [given], partsFormat: 'OPENAI_RESPONSES' },
  ])
  expect(messages).toEqual([item(text, right, byId, image('https://example.com/b.png'))])
})
