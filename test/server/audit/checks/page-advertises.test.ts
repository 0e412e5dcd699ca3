import { describe, expect, it } from 'vitest'
import { advertised } from '../../../../packages/server/src/audit/checks/page-advertises.ts'

describe('a text of a page', () => {
  it.each([
    ["new WebSocket('ws://chat.example.com/')", ['ws://chat.example.com/']],
    ["// 'ws://old.example.com/'\n'ws://new.example.com/'", ['ws://new.example.com/']],
    ["/* 'ws://old.example.com/' */ 'ws://new.example.com/'", ['ws://new.example.com/']],
    ['<!-- "ws://old.example.com/" --> "ws://new.example.com/"', ['ws://new.example.com/']],
    ["'http://docs.example.com/'; 'ws://new.example.com/'", ['ws://new.example.com/']],
    ["'ws://localhost:80/' 'ws://127.0.0.1/' 'ws://[::1]/' 'wss://chat.example.com/'", []],
    ["/* 'ws://never.example.com/'", []],
  ])('with %s names %j', (text, expected) => {
    expect(advertised(text)).toEqual(expected)
  })

  it.each(['<!--', '/* ', '/*', '// ', '"ws://', "'"])(
    'is read in time, however often it says %s',
    (unit) => {
      const text = unit.repeat(Math.floor(1_048_576 / unit.length))
      const startedAt = performance.now()
      advertised(text)
      // Quadratic time would be minutes.
      expect(performance.now() - startedAt).toBeLessThan(5_000)
    },
  )
})
