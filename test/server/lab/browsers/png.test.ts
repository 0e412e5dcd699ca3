import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { isBlank } from '../../../../packages/server/src/lab/browsers/png.ts'

const chunk = (name: string, data: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  return Buffer.concat([length, Buffer.from(name, 'latin1'), data, Buffer.alloc(4)])
}

/** Writes rows of filtered samples, each led by its filter's number, as an RGB picture. */
function png(rows: readonly (readonly number[])[], { depth = 8 } = {}): Uint8Array {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(((rows[0]?.length ?? 1) - 1) / 3, 0)
  header.writeUInt32BE(rows.length, 4)
  header.set([depth, 2, 0, 0, 0], 8)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const data = deflateSync(Buffer.from(rows.flat()))
  // In two parts, as an encoder may cut it anywhere.
  const parts = [chunk('IDAT', data.subarray(0, 3)), chunk('IDAT', data.subarray(3))]
  return Buffer.concat([signature, chunk('IHDR', header), ...parts, chunk('IEND', Buffer.alloc(0))])
}

const white = [255, 255, 255]
const same = [0, 0, 0]

describe('isBlank', () => {
  it('sees one colour under each of the five filters', () => {
    const rows = [
      [0, ...white, ...white],
      [1, ...white, ...same],
      [2, ...same, ...same],
      [3, 128, 128, 128, ...same],
      [4, ...same, ...same],
    ]
    expect(isBlank(png(rows))).toBe(true)
  })

  it.each([0, 1, 2, 3, 4])('sees one other pixel under filter %i', (filter) => {
    expect(
      isBlank(
        png([
          [0, ...white, ...white],
          [filter, ...same, 0, 1, 0],
        ]),
      ),
    ).toBe(false)
  })

  it('refuses what it cannot read', () => {
    expect(() => isBlank(Buffer.from('GIF89a'))).toThrow('not an 8-bit RGB or RGBA PNG')
    expect(() => isBlank(png([[0, ...white]], { depth: 16 }))).toThrow('not an 8-bit RGB or RGBA PNG')
  })
})
