import { requireOfPage } from './place.ts'

/** What a screen shows, and for how long, in milliseconds. */
export interface Shot {
  readonly png: Buffer
  readonly ms: number
}

interface Size {
  readonly width: number
  readonly height: number
}

type Colour = readonly number[]

/** What is used of gifenc, which brings no types. */
interface Gifenc {
  GIFEncoder(): {
    writeFrame(pixels: Uint8Array, width: number, height: number, options: FrameOptions): void
    finish(): void
    bytes(): Uint8Array
  }
  quantize(rgba: Uint8Array, colours: number): Colour[]
  applyPalette(rgba: Uint8Array, palette: readonly Colour[]): Uint8Array
}

interface FrameOptions {
  /** Of all frames, where it is given with the first one. */
  readonly palette?: readonly Colour[]
  readonly transparent: boolean
  readonly transparentIndex: number
  /** In milliseconds. */
  readonly delay: number
  readonly dispose: number
}

const transparentIndex = 255
/** Of a frame, so that the next one is drawn over it. */
const keep = 1

/**
 * A GIF that begins again at its end: of the animated formats, all that show a README show this one. What a frame has like the one before is
 * transparent, so text that streams costs only its own pixels.
 */
export async function encodeGif(
  shots: readonly Shot[],
  { width, height }: Size,
  decode: (png: Buffer) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const { GIFEncoder, applyPalette, quantize } = requireOfPage('gifenc') as Gifenc
  const pictures: Uint8Array[] = []
  for (const { png } of shots) pictures.push(await decode(png))
  // Each scene has colours of its own.
  const samples = pictures.filter((_, index) => index % 10 === 0)
  const colours = quantize(Buffer.concat(samples), transparentIndex)
  const palette = [...colours, ...Array<Colour>(256 - colours.length).fill([0, 0, 0])]
  const encoder = GIFEncoder()
  let before: Uint8Array | null = null
  for (const [index, picture] of pictures.entries()) {
    const pixels = applyPalette(picture, colours)
    encoder.writeFrame(before === null ? pixels : withoutSame(pixels, before), width, height, {
      ...(before === null ? { palette } : {}),
      transparent: before !== null,
      transparentIndex,
      delay: shots[index]?.ms ?? 0,
      dispose: keep,
    })
    before = pixels
  }
  encoder.finish()
  return encoder.bytes()
}

function withoutSame(pixels: Uint8Array, before: Uint8Array): Uint8Array {
  return pixels.map((pixel, index) => (pixel === before[index] ? transparentIndex : pixel))
}
