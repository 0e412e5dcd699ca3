import { describe, expect, it } from 'vitest'
import * as wire from '../../../packages/countersign/src/wire/index.ts'

describe('the front door of wire', () => {
  it('exports functions, frozen answers and bounds, and nothing else', () => {
    for (const [name, value] of Object.entries(wire)) {
      expect(typeof value === 'number').toBe(name.startsWith('max'))
      expect(['function', 'object', 'string', 'number']).toContain(typeof value)
    }
    expect(Object.isFrozen(wire.absent)).toBe(true)
  })

  it('offers each parser that a carrier or an adapter asks for', () => {
    expect(Object.keys(wire)).toEqual(
      expect.arrayContaining([
        'findParameter',
        'findCookie',
        'parseAuthorization',
        'parseSubprotocols',
        'parseOrigin',
        'parseFirstMessage',
        'parseCompactJws',
        'checkUpgrade',
      ]),
    )
  })
})
