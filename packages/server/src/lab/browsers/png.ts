import { inflateSync } from 'node:zlib'

const signatureBytes = 8
const chunkFrameBytes = 12
const maxPixelBytes = 256 * 1024 * 1024

/** Samples per pixel by colour type (PNG, IHDR), for the two that browsers write. */
const samplesByColourType: Readonly<Record<number, number>> = { 2: 3, 6: 4 }

/**
 * Tells whether every pixel of a PNG is the same: what a driver hands over when it was asked before the first paint.
 * Understands what browsers write: 8-bit RGB or RGBA, not interlaced.
 *
 * @throws Error when it is another kind of PNG, or none
 */
export function isBlank(png: Uint8Array): boolean {
  const { width, height, samples, data } = readPng(Buffer.from(png.buffer, png.byteOffset, png.byteLength))
  const rowBytes = width * samples
  const raw = inflateSync(data, { maxOutputLength: maxPixelBytes })
  let previous = new Uint8Array(rowBytes)
  let first: Uint8Array | undefined
  for (let row = 0; row < height; row++) {
    const at = row * (rowBytes + 1)
    const pixels = unfilter(raw[at] ?? 0, raw.subarray(at + 1, at + 1 + rowBytes), { previous, samples })
    first ??= pixels.slice(0, samples)
    for (let i = 0; i < rowBytes; i++) if (pixels[i] !== first[i % samples]) return false
    previous = pixels
  }
  return true
}

interface Png {
  readonly width: number
  readonly height: number
  readonly samples: number
  readonly data: Buffer
}

/** Reads the header and joins the image data, whose chunks may cut it anywhere. */
function readPng(png: Buffer): Png {
  const depth = png.length > 29 ? png.readUInt8(24) : 0
  const samples = depth === 8 && png.readUInt8(28) === 0 ? samplesByColourType[png.readUInt8(25)] : undefined
  if (samples === undefined) throw new Error('not an 8-bit RGB or RGBA PNG')
  const parts: Buffer[] = []
  for (let at = signatureBytes; at + chunkFrameBytes <= png.length;) {
    const length = png.readUInt32BE(at)
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length))
    at += chunkFrameBytes + length
  }
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), samples, data: Buffer.concat(parts) }
}

/** Undoes the filter of one row (PNG, Filtering). */
function unfilter(
  filter: number,
  row: Uint8Array,
  { previous, samples }: { readonly previous: Uint8Array; readonly samples: number },
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(row.length)
  for (let i = 0; i < row.length; i++) {
    const left = out[i - samples] ?? 0
    const above = previous[i] ?? 0
    const corner = i < samples ? 0 : (previous[i - samples] ?? 0)
    out[i] = (row[i] ?? 0) + predict(filter, { left, above, corner })
  }
  return out
}

interface Neighbours {
  readonly left: number
  readonly above: number
  readonly corner: number
}

/** The five filters' predictors (PNG, Filter types); an unknown filter predicts nothing. */
function predict(filter: number, { left, above, corner }: Neighbours): number {
  switch (filter) {
    case 1:
      return left
    case 2:
      return above
    case 3:
      return (left + above) >> 1
    case 4:
      return paeth({ left, above, corner })
    default:
      return 0
  }
}

/** The neighbour that is closest to their linear guess. */
function paeth({ left, above, corner }: Neighbours): number {
  const guess = left + above - corner
  const [toLeft, toAbove, toCorner] = [
    Math.abs(guess - left),
    Math.abs(guess - above),
    Math.abs(guess - corner),
  ]
  if (toLeft <= toAbove && toLeft <= toCorner) return left
  return toAbove <= toCorner ? above : corner
}
