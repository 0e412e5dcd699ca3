import { answersOf } from '../../../packages/countersign/src/core/answers.ts'
import type { HelloCredential, JoinRequest } from '../../../packages/countersign/src/core/credential.ts'
import { Lockout } from '../../../packages/countersign/src/core/lockout.ts'
import type { Method, Shown } from '../../../packages/countersign/src/core/method.ts'
import type { Challenge, Heard, Need } from '../../../packages/countersign/src/core/ports.ts'
import type { Accept, Verdict } from '../../../packages/countersign/src/core/verdict.ts'
import { localBus, memory, type Records } from '../../../packages/countersign/src/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { expect } from 'vitest'
import { noon, shown } from '../support/conversation.ts'
import { plainPasswords } from '../support/guard.ts'

/** A WAMP opening of peter for realm1. */
export function helloOf(
  method: string,
  facts: Partial<Omit<HelloCredential, 'join'>> & { readonly join?: Partial<JoinRequest> } = {},
): HelloCredential {
  const { join, ...rest } = facts
  return {
    kind: 'hello',
    authid: 'peter',
    methods: [method],
    nonce: undefined,
    ...rest,
    join: {
      session: 4_711,
      realm: 'realm1',
      authrole: undefined,
      authextra: {},
      transport: {},
      channels: {},
      ...join,
    },
  }
}

/** What the peer says to a challenge. */
export type Reply = (challenge: Challenge) => string | (Omit<Heard, 'now'> & { readonly now?: number })

/** A whole conversation, and what was asked in it. */
export interface Held {
  readonly verdict: Verdict
  /** Kinds of all questions, in order; the peer's turns are `hear`. */
  readonly asked: readonly string[]
  readonly challenges: readonly Challenge[]
}

/** A place to hold conversations: one lockout, one set of records, the real platform. */
export interface Stage {
  readonly records: Records
  hold(method: Method, credential: HelloCredential, reply?: Reply, facts?: Partial<Shown>): Promise<Held>
}

/** Opens a stage. @param random what is drawn, where a test must know it beforehand */
export function stage(records: Records = memory(), random?: () => string): Stage {
  const clock = { now: () => noon, every: () => () => undefined }
  const platform = { ...nodePlatform(), clock, ...(random === undefined ? {} : { random }) }
  const answers = answersOf(
    {
      records,
      platform,
      passwords: plainPasswords,
      journal: { record: () => undefined },
      bus: localBus(),
      guesses: new Lockout(),
      decoyKey: 'decoy key of the tests',
    },
    (address) => address,
  )
  return {
    records,
    async hold(method, credential, reply = () => 'no answer', facts = {}) {
      const talk = method.judge(shown({ credential, ...facts }))
      const asked: string[] = []
      const challenges: Challenge[] = []
      let step = talk.next()
      while (step.done !== true) {
        const need: Need = step.value
        asked.push(need.kind)
        if (need.kind === 'hear') {
          const challenge = need.say ?? { method: '', extra: {} }
          challenges.push(challenge)
          const said = reply(challenge)
          step = talk.next({ now: noon, ...(typeof said === 'string' ? { text: said } : said) })
          continue
        }
        try {
          const answer = answers[need.kind] as (asked: Need) => unknown
          step = talk.next(await answer(need))
        } catch (error) {
          step = talk.throw(error)
        }
      }
      return { verdict: step.value, asked, challenges }
    },
  }
}

/** Asserts an acceptance. */
export function expectAccepted({ verdict }: Held): Accept {
  expect(verdict).toMatchObject({ kind: 'accept' })
  return verdict as Accept
}

/** Asserts that two conversations cannot be told apart: questions, words of the challenges, reason. */
export function expectAlike(one: Held, other: Held): void {
  expect(other.asked).toEqual(one.asked)
  expect(other.verdict).toEqual(one.verdict)
  expect(other.challenges.map(outline)).toEqual(one.challenges.map(outline))
}

/** A challenge with every text replaced by its length, and every text of JSON by its members. */
function outline({ method, extra }: Challenge): unknown {
  const form = (value: unknown): unknown => {
    if (typeof value !== 'string') return value
    return value.startsWith('{') ? Object.keys(JSON.parse(value) as object) : value.length
  }
  return [method, Object.fromEntries(Object.entries(extra).map(([name, value]) => [name, form(value)]))]
}
