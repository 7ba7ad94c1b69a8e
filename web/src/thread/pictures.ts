import type { AttachmentAdapter } from '@assistant-ui/react'

/** Of the data URL, in characters. A message has at most 1 MiB on a server with default settings. */
const longestPicture = 300_000
/** Pixels of the longer side that are tried, one after the other. */
const sides = [1_600, 1_200, 900, 600, 400]
const quality = 0.82

/** Pictures that go with a message. They are made small enough in the browser. */
export const pictures: AttachmentAdapter = {
  accept: 'image/*',
  add: async ({ file }) => ({
    id: crypto.randomUUID(),
    type: 'image',
    name: file.name,
    contentType: file.type,
    file,
    content: [{ type: 'image', image: await shrink(file), filename: file.name }],
    status: { type: 'requires-action', reason: 'composer-send' },
  }),
  send: async (attachment) => ({ ...attachment, content: attachment.content ?? [], status: { type: 'complete' } }),
  remove: async () => {},
}

/** @returns a data URL */
async function shrink(file: File): Promise<string> {
  const bitmap = await createImageBitmap(file)
  for (const side of sides) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height))
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.round(bitmap.width * scale))
    canvas.height = Math.max(1, Math.round(bitmap.height * scale))
    const context = canvas.getContext('2d') as CanvasRenderingContext2D
    // JPEG has no transparency.
    context.fillStyle = '#fff'
    context.fillRect(0, 0, canvas.width, canvas.height)
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    const url = canvas.toDataURL('image/jpeg', quality)
    if (url.length <= longestPicture) return url
  }
  throw new Error(`${file.name} cannot be made small enough.`)
}
