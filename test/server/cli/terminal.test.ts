import { describe, expect, it } from 'vitest'
import { createProgress, paint, type Screen } from '../../../packages/server/src/cli/terminal.ts'

function screen(isTTY: boolean, columns?: number): Screen & { text: string } {
  return {
    text: '',
    isTTY,
    ...(columns === undefined ? {} : { columns }),
    write(part) {
      this.text += part
    },
  }
}

describe('colour', () => {
  it('is shown on a terminal', () => {
    expect(paint(screen(true), {}, 'bad', 'error')).toBe('\u001b[31merror\u001b[0m')
  })

  it.each([
    ['elsewhere', false, {}],
    ['under NO_COLOR', true, { NO_COLOR: '1' }],
    ['on a dumb terminal', true, { TERM: 'dumb' }],
  ])('is not shown %s', (_name, isTTY, env) => {
    expect(paint(screen(isTTY), env, 'bad', 'error')).toBe('error')
  })

  it('is shown when NO_COLOR is empty, as its convention says', () => {
    expect(paint(screen(true), { NO_COLOR: '' }, 'good', 'ok')).toContain('\u001b[32m')
  })
})

describe('progress', () => {
  it('is one bar in place on a terminal, cut to its width', () => {
    const out = screen(true, 40)
    const progress = createProgress(out)
    progress.show(12, 24, 'a browser with a name that is far too long for this line')
    expect(out.text).toMatch(/^\r\u001b\[K█{12}░{12} 12 of 24 {2}/)
    expect(out.text.length).toBeLessThanOrEqual('\r\u001b[K'.length + 39)
    progress.end()
    expect(out.text.endsWith('\r\u001b[K')).toBe(true)
  })

  it('is one line for each thing elsewhere', () => {
    const out = screen(false)
    const progress = createProgress(out)
    progress.show(0, 0, 'Chromium')
    progress.show(5, 9, 'Chromium')
    progress.show(0, 9, 'Firefox')
    progress.end()
    expect(out.text).toBe('Chromium\nFirefox\n')
  })

  it('of nothing yet is an empty bar', () => {
    const out = screen(true)
    createProgress(out).show(0, 0, 'starting')
    expect(out.text).toContain(`${'░'.repeat(24)} 0 of 0`)
  })
})
