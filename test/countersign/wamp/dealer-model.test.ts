/** Any sequence of what sessions may do, against the few things that must always hold. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Dict } from '../../../packages/countersign/src/wamp/messages.ts'
import { matches } from '../../../packages/countersign/src/wamp/uri.ts'
import { dealerRoom, type Peer, type PeerOptions, type Room } from './dealer-room.ts'

const callers = 2
const callees = 3
const procedures = ['com.a', 'com.a.b', 'com.c.b'] as const
const patterns = [
  ['com.a', 'exact'],
  ['com.c.b', 'exact'],
  ['com.', 'prefix'],
  ['..b', 'wildcard'],
] as const

/** Numbers choose among what there is when the command runs. */
type Command =
  | { kind: 'register'; who: number; what: number; policy: string; force: boolean }
  | { kind: 'unregister'; who: number; which: number; revoke: boolean }
  | { kind: 'call'; who: number; what: number; options: Dict }
  | { kind: 'continue'; who: number; which: number; progress: boolean }
  | { kind: 'cancel'; who: number; which: number; mode: string | undefined }
  | { kind: 'yield'; who: number; which: number; progress: boolean }
  | { kind: 'error'; who: number; which: number; unavailable: boolean }
  | { kind: 'leave'; who: number }
  | { kind: 'wait'; ms: number }

const caller = fc.nat({ max: callers - 1 })
const callee = fc.integer({ min: callers, max: callers + callees - 1 })
const which = fc.nat({ max: 30 })
const flag = fc.boolean()

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('register' as const),
      who: callee,
      what: fc.nat({ max: patterns.length - 1 }),
      policy: fc.constantFrom('roundrobin', 'roundrobin', 'roundrobin', 'first', 'single'),
      force: fc.nat({ max: 7 }).map((chance) => chance === 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('unregister' as const), who: callee, which, revoke: flag }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      who: caller,
      what: fc.nat({ max: procedures.length - 1 }),
      options: fc.record(
        {
          receive_progress: flag,
          progress: fc.constantFrom(true, false, false, false),
          timeout: fc.nat({ max: 100 }),
          disclose_me: flag,
          ppt_scheme: fc.constantFrom('x_own', '', '', ''),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('continue' as const), who: caller, which, progress: flag }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('cancel' as const),
      who: caller,
      which,
      mode: fc.constantFrom('skip', 'kill', 'killnowait', 'nonsense', undefined),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('yield' as const), who: callee, which, progress: flag }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('error' as const), who: callee, which, unavailable: flag }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('leave' as const),
      who: fc.nat({ max: callers + callees - 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 80 }) }) },
)

const abilities: fc.Arbitrary<PeerOptions> = fc.record({
  can: fc.record({
    callerProgressiveInvocations: flag,
    callerProgressiveResults: flag,
    callerPassthru: flag,
    calleeCanceling: flag,
    calleeProgressiveInvocations: flag,
    calleePassthru: flag,
  }),
  cancelReply: fc.constantFrom('always', 'kill_only'),
})

/** One call as its caller sees it. */
interface Made {
  readonly procedure: string
  /** Asked for progressive results. */
  readonly streams: boolean
  /** Its caller has more arguments to send. */
  open: boolean
  answers: number
  /** Canceled by a client that wants no answer to that. */
  silent: boolean
}

/** One session and what the model knows of it. */
interface Actor {
  readonly peer: Peer
  readonly made: Map<number, Made>
  readonly registered: Map<number, readonly [procedure: string, match: 'exact' | 'prefix' | 'wildcard']>
  /** Tokens of the invocations that it was sent, by id − 1. */
  readonly invoked: string[]
}

class Model {
  readonly room: Room
  readonly #abilities: readonly PeerOptions[]
  readonly actors: Actor[]
  #requests: number = 0

  constructor(strictProgress: boolean, given: readonly PeerOptions[]) {
    this.room = dealerRoom({ strictProgress })
    this.#abilities = given
    this.actors = given.map((options) => this.#join(options))
  }

  run(step: Command): void {
    const ok = this.#do(step)
    this.look()
    if (!ok && 'who' in step) this.#replace(step.who)
  }

  /** Judges everything that anybody was sent. */
  look(): void {
    for (const actor of this.actors) for (const message of actor.peer.heard()) this.#judge(actor, message)
    const sum = (sizes: (number | undefined)[]): number =>
      sizes.reduce<number>((all, size) => all + (size ?? 0), 0)
    const sessions = this.actors.map(({ peer }) => peer.session)
    expect(sum(sessions.map(({ calls }) => calls?.size))).toBe(
      sum(sessions.map(({ invocations }) => invocations?.size)),
    )
  }

  /** Callees go first, so that every caller has its answers; then callers, then time. */
  end(): void {
    for (const actor of this.actors.slice(callers)) {
      actor.peer.leave()
      this.look()
    }
    for (const { made } of this.actors) {
      for (const call of made.values()) expect(call.answers).toBe(call.silent ? 0 : 1)
    }
    for (const actor of this.actors.slice(0, callers)) actor.peer.leave()
    expect(this.room.timers()).toBe(0)
    expect(this.room.dealer.held).toEqual({ registrations: 0, lateCallers: 0 })
    expect(this.room.dealer.list()).toEqual({ exact: [], prefix: [], wildcard: [] })
    for (const { peer } of this.actors) {
      expect([peer.session.calls, peer.session.invocations, peer.session.registrations]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
    }
  }

  #join(options: PeerOptions): Actor {
    return { peer: this.room.join(options), made: new Map(), registered: new Map(), invoked: [] }
  }

  #replace(who: number): void {
    const options = this.#abilities[who]
    if (options === undefined) return
    this.actor(who).peer.leave()
    this.look()
    this.actors[who] = this.#join(options)
  }

  actor(who: number): Actor {
    const actor = this.actors[who]
    if (actor === undefined) throw new Error('nobody')
    return actor
  }

  /** @returns `false`: the dealer saw a breach */
  #do(step: Command): boolean {
    if (step.kind === 'wait') {
      this.room.advance(step.ms)
      return true
    }
    const actor = this.actor(step.who)
    switch (step.kind) {
      case 'register':
        return this.#register(actor, step)
      case 'unregister':
        return this.#unregister(actor, step)
      case 'call':
        return this.#call(actor, step)
      case 'continue':
        return this.#continue(actor, step)
      case 'cancel':
        return this.#cancel(actor, step)
      case 'yield':
      case 'error':
        return this.#say(actor, step)
      case 'leave':
        this.#replace(step.who)
        return true
    }
  }

  #register({ peer, registered }: Actor, step: Command & { kind: 'register' }): boolean {
    const pattern = patterns[step.what]
    if (pattern === undefined) return true
    const [procedure, match] = pattern
    const reply = peer.register(procedure, { match, invoke: step.policy, force_reregister: step.force })
    if (typeof reply === 'number') registered.set(reply, pattern)
    return true
  }

  #unregister({ peer, registered }: Actor, step: Command & { kind: 'unregister' }): boolean {
    const id = [...registered.keys()][step.which % Math.max(1, registered.size)] ?? 0
    const registration = this.room.dealer.find(id)
    if (!step.revoke) {
      this.room.dealer.unregister(peer.session, { kind: 'unregister', request: 1, registration: id })
      registered.delete(id)
    } else if (registration !== undefined) {
      this.room.dealer.revoke(peer.session, registration, 'com.gone')
    }
    return true
  }

  #call({ peer, made }: Actor, step: Command & { kind: 'call' }): boolean {
    const procedure = procedures[step.what] ?? ''
    this.#requests += 1
    made.set(this.#requests, {
      procedure,
      streams: step.options['receive_progress'] === true,
      open: step.options['progress'] === true,
      answers: 0,
      silent: false,
    })
    const ok = peer.call(this.#requests, procedure, step.options, `${peer.session.id}/${this.#requests}`)
    const can = peer.session.features
    const passes = step.options['ppt_scheme'] === 'x_own' && !can.callerPassthru
    expect(ok).toBe(!passes && !(step.options['progress'] === true && !can.callerProgressiveInvocations))
    return ok
  }

  #continue({ peer, made }: Actor, step: Command & { kind: 'continue' }): boolean {
    const [request, call] = [...made][step.which % Math.max(1, made.size)] ?? []
    if (request === undefined || call === undefined) return true
    const { open } = call
    // An id that was answered and is complete would be a new call.
    if (!open && peer.session.calls?.has(request) !== true) return true
    call.open = step.progress
    const options = step.progress ? { progress: true } : {}
    expect(peer.call(request, call.procedure, options, `${peer.session.id}/${request}`)).toBe(open)
    return open
  }

  #cancel({ peer, made }: Actor, step: Command & { kind: 'cancel' }): boolean {
    const [request, call] = [...made][step.which % Math.max(1, made.size)] ?? []
    if (request === undefined || call === undefined) return true
    const before = peer.session.calls?.get(request)
    peer.cancel(request, step.mode === undefined ? {} : { mode: step.mode })
    const ended = before !== undefined && peer.session.calls?.get(request) !== before
    if (ended && step.mode !== 'kill') call.silent = peer.session.cancelReply === 'kill_only'
    return true
  }

  #say({ peer, invoked }: Actor, step: Command & { kind: 'yield' | 'error' }): boolean {
    const waiting = [...(peer.session.invocations?.keys() ?? [])]
    // Mostly one that is waited for, sometimes one that is over, now and then one that never was.
    const ids = step.which < 20 ? waiting : invoked.map((_, at) => at + 1)
    const id = step.which === 30 ? invoked.length + 1 : ids[step.which % Math.max(1, ids.length)]
    if (id === undefined) return true
    const token = invoked[id - 1]
    const ok =
      step.kind === 'yield'
        ? peer.yield(id, { progress: step.progress }, token)
        : peer.error(id, step.unavailable ? 'wamp.error.unavailable' : 'com.e', {}, token)
    expect(ok).toBe(token !== undefined)
    return ok
  }

  #judge(actor: Actor, message: readonly unknown[]): void {
    const [code, second, third, fourth, , sixth] = message
    if (code === 68) this.#judgeInvocation(actor, Number(second), [Number(third), message[4]])
    else if (code === 69) expect(actor.peer.session.features.calleeCanceling).toBe(true)
    else if (code === 67 && second === 0) {
      const revoked = third as { registration: number }
      expect(actor.registered.delete(revoked.registration)).toBe(true)
    } else if (code === 50) judgeAnswer(actor, Number(second), { final: !isProgress(third), token: fourth })
    else if (code === 8 && second === 48) judgeAnswer(actor, Number(third), { final: true, token: sixth })
  }

  #judgeInvocation(actor: Actor, id: number, [registration, token]: [number, unknown]): void {
    if (id <= actor.invoked.length) {
      expect(actor.invoked[id - 1]).toBe(token)
      return
    }
    expect(id).toBe(actor.invoked.length + 1)
    actor.invoked.push(String(token))
    const [session, request] = String(token).split('/').map(Number)
    const from = this.actors.find(({ peer }) => peer.session.id === session)
    const call = from?.made.get(Number(request))
    expect(call?.answers).toBe(0)
    const called = call?.procedure ?? 'nothing'
    const [procedure, match] = actor.registered.get(registration) ?? ['nothing', 'exact']
    expect(matches(procedure, match, called)).toBe(true)
  }
}

function judgeAnswer(actor: Actor, request: number, answer: { final: boolean; token: unknown }): void {
  const call = actor.made.get(request)
  if (call === undefined) throw new Error('an answer to no call')
  expect([call.answers, call.silent]).toEqual([0, false])
  expect(answer.final || call.streams).toBe(true)
  if (answer.token !== undefined) expect(answer.token).toBe(`${actor.peer.session.id}/${request}`)
  if (answer.final) call.answers += 1
}

function isProgress(details: unknown): boolean {
  return (details as { progress?: boolean }).progress === true
}

describe('Dealer', () => {
  it('answers every call once, invokes only who is registered, and leaves nothing behind', () => {
    const peers = fc.array(abilities, { minLength: callers + callees, maxLength: callers + callees })
    const commands = fc.array(command, { minLength: 20, maxLength: 80, size: 'max' })
    fc.assert(
      fc.property(flag, peers, commands, (strict, given, steps) => {
        const model = new Model(strict, given)
        for (const step of steps) model.run(step)
        model.end()
      }),
      { numRuns: Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 1_000) },
    )
  })
})
