import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  hardEndMs,
  nextTickMs,
  reduceLease,
  type LeaseCommand,
  type LeaseEvent,
  type LeaseState,
} from '../../../packages/countersign/src/core/lease-life.ts'
import { numRuns } from '../support/guard.ts'

const start: LeaseState = {
  phase: 'pending',
  untilMs: 1_000,
  neverAfterMs: 5_000,
  warnMs: 200,
  graceMs: 100,
  doom: undefined,
}
const live: LeaseState = { ...start, phase: 'live' }
const doomed = (endsAtMs: number): LeaseEvent => ({ kind: 'doomed', endsAtMs, reason: 'revoked' })
const refreshed = (untilMs: number, neverAfterMs = Infinity): LeaseEvent => ({
  kind: 'refreshed',
  untilMs,
  neverAfterMs,
})

describe('a lease', () => {
  test('is registered before it is open, and time does not touch it until then', () => {
    expect(reduceLease(start, { kind: 'tick' }, 9_999)).toEqual({ state: start, commands: [] })
    expect(nextTickMs(start)).toBe(Infinity)
    expect(reduceLease(start, { kind: 'opened' }, 0).state.phase).toBe('live')
  })

  test('opens once', () => {
    expect(reduceLease(live, { kind: 'opened' }, 0)).toEqual({ state: live, commands: [] })
  })

  test('that is over when it opens ends instead', () => {
    expect(reduceLease(start, { kind: 'opened' }, 1_100).commands).toEqual([
      { kind: 'close', reason: 'lease_expired' },
    ])
  })

  test('warns once when the end is near, and says how near', () => {
    expect(nextTickMs(live)).toBe(800)
    expect(reduceLease(live, { kind: 'tick' }, 799).commands).toEqual([])
    const { state, commands } = reduceLease(live, { kind: 'tick' }, 850)
    expect(commands).toEqual([{ kind: 'warn', inMs: 150 }])
    expect(state.phase).toBe('due')
    expect(reduceLease(state, { kind: 'tick' }, 900).commands).toEqual([])
  })

  test('warned late says zero, never less', () => {
    expect(reduceLease(live, { kind: 'tick' }, 1_050).commands).toEqual([{ kind: 'warn', inMs: 0 }])
  })

  test('may speak through its grace and no longer', () => {
    const due: LeaseState = { ...live, phase: 'due' }
    expect(nextTickMs(due)).toBe(1_100)
    expect(reduceLease(due, { kind: 'tick' }, 1_099).state.phase).toBe('due')
    expect(reduceLease(due, { kind: 'tick' }, 1_100)).toEqual({
      state: { ...due, phase: 'ended' },
      commands: [{ kind: 'close', reason: 'lease_expired' }],
    })
  })

  test('has no grace beyond its absolute limit', () => {
    expect(hardEndMs({ ...live, untilMs: 4_950 })).toBe(5_000)
  })

  test('is live again after a refresh, and is warned again', () => {
    const { state } = reduceLease({ ...live, phase: 'due' }, refreshed(3_000), 1_000)
    expect(state).toMatchObject({ phase: 'live', untilMs: 3_000 })
    expect(reduceLease(state, { kind: 'tick' }, 2_900).commands).toEqual([{ kind: 'warn', inMs: 100 }])
  })

  test('cannot be refreshed past its absolute limit, which may come nearer but never recedes', () => {
    expect(reduceLease(live, refreshed(9_000), 0).state).toMatchObject({
      untilMs: 5_000,
      neverAfterMs: 5_000,
    })
    expect(reduceLease(live, refreshed(9_000, 2_000), 0).state).toMatchObject({
      untilMs: 2_000,
      neverAfterMs: 2_000,
    })
  })

  test('that is over cannot be refreshed', () => {
    expect(reduceLease(live, refreshed(9_000), 1_100).state.phase).toBe('ended')
  })

  test('that is pending stays pending through a refresh', () => {
    expect(reduceLease(start, refreshed(2_000), 0).state).toMatchObject({ phase: 'pending', untilMs: 2_000 })
  })

  test.each(['revoked', 'logged_out', 'superseded', 'shutting_down'] as const)(
    'ends with %s from any phase',
    (reason) => {
      for (const phase of ['pending', 'live', 'due'] as const) {
        expect(reduceLease({ ...live, phase }, { kind: 'ended', reason }, 0)).toEqual({
          state: { ...live, phase: 'ended' },
          commands: [{ kind: 'close', reason }],
        })
      }
    },
  )

  test('that is revoked with a margin is warned, and ends with its reason and without grace', () => {
    const { state, commands } = reduceLease(live, doomed(600), 100)
    expect(commands).toEqual([{ kind: 'warn', inMs: 500 }])
    expect([state.phase, nextTickMs(state)]).toEqual(['due', 600])
    expect(reduceLease(state, { kind: 'tick' }, 599).commands).toEqual([])
    expect(reduceLease(state, { kind: 'tick' }, 600).commands).toEqual([{ kind: 'close', reason: 'revoked' }])
  })

  test('that is revoked with a margin lives on when it is refreshed by something issued since', () => {
    const { state } = reduceLease(reduceLease(live, doomed(600), 100).state, refreshed(3_000), 500)
    expect(state).toMatchObject({ phase: 'live', doom: undefined })
    expect(hardEndMs(state)).toBe(3_100)
  })

  test('holds to the nearer of two announced ends, and to its own where that is nearer', () => {
    const near = reduceLease(live, doomed(600), 100).state
    expect(reduceLease(near, doomed(900), 200)).toEqual({ state: near, commands: [] })
    expect(reduceLease(near, doomed(400), 200).commands).toEqual([{ kind: 'warn', inMs: 200 }])
    const far = reduceLease(live, doomed(9_000), 100).state
    expect(reduceLease(far, { kind: 'tick' }, 1_100).commands).toEqual([
      { kind: 'close', reason: 'lease_expired' },
    ])
  })

  test('that is not open when it is revoked with a margin ends at once', () => {
    expect(reduceLease(start, doomed(600), 100).commands).toEqual([{ kind: 'close', reason: 'revoked' }])
  })

  test('whose connection is gone ends without a word', () => {
    expect(reduceLease(live, { kind: 'left' }, 0)).toEqual({
      state: { ...live, phase: 'ended' },
      commands: [],
    })
  })
})

type Step = { readonly event: LeaseEvent; readonly afterMs: number }

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 9_000 })),
    event: fc.oneof(
      { weight: 5, arbitrary: fc.constant<LeaseEvent>({ kind: 'tick' }) },
      { weight: 3, arbitrary: fc.constant<LeaseEvent>({ kind: 'opened' }) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.integer({ min: 0, max: 12_000 }), fc.oneof(fc.constant(Infinity), fc.nat(12_000)))
          .map(([untilMs, never]) => refreshed(untilMs, never)),
      },
      { weight: 1, arbitrary: fc.constant<LeaseEvent>({ kind: 'ended', reason: 'revoked' }) },
      { weight: 2, arbitrary: fc.nat(9_000).map(doomed) },
      { weight: 1, arbitrary: fc.constant<LeaseEvent>({ kind: 'left' }) },
    ),
  }),
  { maxLength: 25 },
)

const states: fc.Arbitrary<LeaseState> = fc.record({
  phase: fc.constant('pending' as const),
  untilMs: fc.nat(6_000),
  neverAfterMs: fc.oneof(fc.constant(Infinity), fc.nat(8_000)),
  warnMs: fc.nat(2_000),
  graceMs: fc.oneof(fc.constant(0), fc.nat(1_000)),
  doom: fc.constant(undefined),
})

interface Walked {
  readonly before: LeaseState
  readonly after: LeaseState
  readonly commands: readonly LeaseCommand[]
  readonly event: LeaseEvent
  readonly now: number
}

function walk(state: LeaseState, list: readonly Step[]): readonly Walked[] {
  let now = 0
  let before = state
  return list.map(({ event, afterMs }) => {
    now += afterMs
    const { state: after, commands } = reduceLease(before, event, now)
    const walked = { before, after, commands, event, now }
    before = after
    return walked
  })
}

function holds(check: (walked: readonly Walked[], first: LeaseState) => boolean): void {
  fc.assert(
    fc.property(states, steps, (state, list) => check(walk(state, list), state)),
    { numRuns },
  )
}

describe('whatever happens to a lease', () => {
  test('nothing leaves it un-ended once it was ticked after its hard end', () => {
    holds((all) =>
      all.every(
        ({ before, after, event, now }) =>
          event.kind !== 'tick' ||
          before.phase === 'pending' ||
          now < hardEndMs(before) ||
          after.phase === 'ended',
      ),
    )
  })

  test('time alone never ends it early', () => {
    holds((all) =>
      all.every(({ before, commands, now }) =>
        commands.every(
          (one) =>
            one.kind !== 'close' ||
            one.reason !== 'lease_expired' ||
            now >= hardEndMs(before) ||
            // A refresh by a credential that is itself over.
            now >= hardEndMs(all.find((step) => step.commands === commands)?.after ?? before),
        ),
      ),
    )
  })

  test('a revocation that was announced is enforced at its instant, unless a refresh lifts it', () => {
    holds((all) => {
      let endsAtMs = Infinity
      return all.every(({ after, event, now }) => {
        if (event.kind === 'doomed') endsAtMs = Math.min(endsAtMs, event.endsAtMs)
        if (event.kind === 'refreshed') endsAtMs = Infinity
        return (
          after.phase === 'ended' ||
          after.phase === 'pending' ||
          hardEndMs(after) <= endsAtMs ||
          now < endsAtMs
        )
      })
    })
  })

  test('ended is final, and silent', () => {
    holds((all) =>
      all.every(
        ({ before, after, commands }) =>
          before.phase !== 'ended' || (after === before && commands.length === 0),
      ),
    )
  })

  test('it closes at most once', () => {
    holds((all) => all.flatMap((one) => one.commands).filter((one) => one.kind === 'close').length <= 1)
  })

  test('no refresh passes the absolute limit, and the limit never recedes', () => {
    holds((all, first) =>
      all.every(
        ({ before, after }) =>
          after.neverAfterMs <= before.neverAfterMs &&
          after.neverAfterMs <= first.neverAfterMs &&
          (after === before || after.untilMs <= Math.max(after.neverAfterMs, first.untilMs)) &&
          hardEndMs(after) <= first.neverAfterMs,
      ),
    )
  })

  test('it is warned once between two refreshes', () => {
    holds((all) => {
      let warned = 0
      return all.every(({ commands, event }) => {
        if (event.kind === 'refreshed' || event.kind === 'doomed') warned = 0
        warned += commands.filter((one) => one.kind === 'warn').length
        return warned <= 1
      })
    })
  })

  test('when it next wants to be called, there is something to do', () => {
    holds((all) =>
      all.every(({ after }) => {
        const due = nextTickMs(after)
        if (due === Infinity) return true
        return reduceLease(after, { kind: 'tick' }, due).commands.length > 0
      }),
    )
  })
})
