import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCurl } from '../../../../packages/server/src/audit/discovery/curl.ts'

describe('a command of curl', () => {
  it('is read as browsers copy it', () => {
    const copied = `curl 'wss://app.example.com/socket?v=1' \\
      -H 'Upgrade: websocket' \\
      -H "Origin: https://app.example.com" \\
      -b 'sid=a b; theme=dark' \\
      -H $'X-Quote: it\\'s \\u0041' --compressed`
    expect(parseCurl(copied)).toEqual({
      url: 'wss://app.example.com/socket?v=1',
      headers: [
        ['Upgrade', 'websocket'],
        ['Origin', 'https://app.example.com'],
        ['Cookie', 'sid=a b; theme=dark'],
        ['X-Quote', "it's A"],
      ],
      basic: undefined,
    })
  })

  it.each([
    ['curl -u joe:pass:word http://localhost/ws', { url: 'http://localhost/ws', basic: 'joe:pass:word' }],
    ['curl -X GET --url http://localhost/ws', { url: 'http://localhost/ws' }],
    ['curl -o out.txt http://localhost/ws', { url: 'http://localhost/ws' }],
    ['curl http://local\\\nhost/ws', { url: 'http://localhost/ws' }],
  ])('%s', (text, expected) => {
    expect(parseCurl(text)).toMatchObject(expected)
  })

  it.each([
    '',
    'wget http://localhost',
    'curl',
    "curl 'http://localhost",
    'curl -H "a: b',
    `curl ${'a'.repeat(70_000)}`,
  ])('is none: %s', (text) => {
    expect(parseCurl(text)).toBeUndefined()
  })

  it('runs nothing and expands nothing', () => {
    expect(parseCurl('curl "http://localhost/$(id)`id`"')?.url).toBe('http://localhost/$(id)`id`')
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        parseCurl(`curl ${text}`)
      }),
    )
  })
})
