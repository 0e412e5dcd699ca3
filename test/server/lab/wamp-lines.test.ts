import { assert, jsonValue, property, uuid } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wampLine } from '../../../packages/server/src/lab/wamp-lines.ts'

describe('a line of WAMP', () => {
  it.each([
    [
      '[1,"realm1",{"roles":{"caller":{"features":{}}},"authid":"joe"}]',
      'HELLO [1,"realm1",{"roles":["caller"],"authid":"joe"}]',
    ],
    ['[4,"ticket",{}]', 'CHALLENGE [4,"ticket",{}]'],
    ['[5,"secret2",{}]', 'AUTHENTICATE [5,"••••",{}]'],
    [' [ 5 , "\\u0073ecret2" ]', 'AUTHENTICATE [5,"••••"]'],
    ['[5,{"secret":1}]', 'AUTHENTICATE [5,"••••"]'],
    ['[5]', 'AUTHENTICATE [5]'],
  ])('names the message and says what matters: %s', (frame, text) => {
    expect(wampLine(frame)).toEqual({ text, deciding: false })
  })

  it.each([
    ['[3,{"message":"no"},"wamp.error.authentication_denied"]', true],
    ['[6,{},"wamp.close.logout"]', true],
    ['[6,{},"wamp.close.goodbye_and_out"]', false],
    ['[8,16,1,{},"wamp.error.not_authorized"]', true],
    ['[2,1,{}]', false],
  ])('knows what decides: %s', (frame, deciding) => {
    expect(wampLine(frame)?.deciding).toBe(deciding)
  })

  it.each(['', 'Hello alice!', '{"type":"auth"}', '[]', '[99]', '["1"]', '[[1]]', '[5,"secret2"'])(
    'is none for %s',
    (frame) => {
      expect(wampLine(frame)).toBeUndefined()
    },
  )

  it('tells no answer to a challenge, whatever it is', () => {
    assert(
      property(uuid(), jsonValue(), (secret, extra) => {
        expect(wampLine(JSON.stringify([5, secret, { extra }]))?.text).not.toContain(secret)
      }),
      { numRuns: Number(process.env.COUNTERSIGN_FUZZ_RUNS ?? 10_000) },
    )
  })
})
