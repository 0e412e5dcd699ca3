import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Recorder } from '../../../packages/server/src/audit/exchange.ts'
import { Masking } from '../../../packages/server/src/audit/masking.ts'

describe('a recorded exchange', () => {
  it('shows the beginning of a long line, and how long it was', () => {
    const recorder = new Recorder(new Masking())
    recorder.add('target', 'a'.repeat(2_000))
    recorder.add('target', 'b'.repeat(1_048_576))
    expect(recorder.exchange.map(({ text }) => text)).toEqual([
      `${'a'.repeat(1_200)} … (2000 characters)`,
      `${'b'.repeat(1_200)} … (1048576 characters)`,
    ])
  })

  it('is judged by a long line, too', () => {
    const recorder = new Recorder(new Masking())
    const long = 'x'.repeat(70_000)
    recorder.add('target', long)
    recorder.add('target', 'short')
    recorder.mark(long)
    expect(recorder.exchange.map(({ decides }) => decides)).toEqual([true, undefined])
  })

  it('shows no part of a secret at the end of what it keeps of a line', () => {
    const masking = new Masking()
    const recorder = new Recorder(masking)
    const secret = randomBytes(1_500).toString('hex')
    recorder.add('target', secret.repeat(40))
    recorder.hide(secret)
    const [line] = recorder.exchange
    expect(line?.text).toContain('120000 characters')
    expect(line?.text).not.toContain(secret.slice(0, 8))
  })
})
