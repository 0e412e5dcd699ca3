import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HelloCredential, JoinRequest } from '../../../packages/countersign/src/core/credential.ts'
import { challengeText } from '../../../packages/countersign/src/methods/wampcra-challenge.ts'

const numRuns = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000)
const join: JoinRequest = {
  session: 7,
  realm: 'realm1',
  authrole: undefined,
  authextra: {},
  transport: {},
  channels: {},
}

/** The challenge, with `entropy` wherever chance is asked for. */
function challenge(authid: string, now: number, from: JoinRequest | undefined = join): string {
  const hello: HelloCredential = { kind: 'hello', authid, methods: ['wampcra'], nonce: undefined, join: from }
  const talk = challengeText(hello, authid, now)
  let step = talk.next()
  while (step.done !== true) step = talk.next('_'.repeat(32))
  return step.value
}

describe('the challenge of WAMP-CRA', () => {
  it('names whoever asked, whatever the name is made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (authid) => {
        expect(JSON.parse(challenge(authid, 0))).toMatchObject({ authid, session: 7 })
      }),
      { numRuns },
    )
  })

  it('tells the time as ISO 8601 does, at any time and in any order', () => {
    const span = 8_640_000_000_000_000
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.nat(3_000), (start, later) => {
        for (const now of [start, start + later, start].map((at) => at % span)) {
          const told: unknown = JSON.parse(challenge('peter', now))
          expect(told).toHaveProperty('timestamp', new Date(now).toISOString())
        }
      }),
      { numRuns },
    )
  })

  it('draws a session number where the opening has none', () => {
    expect(JSON.parse(challenge('peter', 0, undefined))).toHaveProperty('session', expect.any(Number))
  })
})
