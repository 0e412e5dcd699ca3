import type { Attack } from './attack.ts'
import {
  audienceOf,
  type CaseResult,
  type Check,
  type DoorId,
  type Engine,
  type LabCase,
  type Place,
  type Slot,
  type Step,
} from './case.ts'
import { inventCredential, obtainCredential, obtainExpired, type Credential } from './credential.ts'
import { accountOf, doorOf, httpOrigin, wampUrl, type LabFacts } from './facts.ts'
import { exchangeInFrame } from './frame-exchange.ts'
import { knock, warmUp, type Knock } from './knock.ts'
import { within } from './later.ts'
import { loadAutobahn } from './load-autobahn.ts'
import { randomText } from './random-text.ts'
import { accepted, describeOutcome, isOpen, sameOutcome, unexchanged, type Measured } from './outcome.ts'
import { planAt, publicSubprotocol, withProbe } from './plan.ts'
import { getJson, postJson } from './site.ts'
import type { Trace } from './trace.ts'
import { joinRealm } from './wamp-join.ts'
import { wampPlace } from './wamp-users.ts'

/** State of a gate on the page. */
export type GateState = 'idle' | 'knocking' | 'open' | 'refused' | 'closing'

/** What cases need of the page around them. */
export interface Surroundings {
  readonly facts: LabFacts
  readonly engine: Engine
  readonly username: string
  /** Lets the hostile site knock at a door. */
  readonly attack: Attack
  readonly showGate: (door: DoorId, state: GateState) => void
}

/** No case takes longer, ms. */
export const maxCaseMs = 15_000

/** Long enough for any answer, short enough to leave room for the rest of the case, ms. */
const patienceMs = 13_000

const cookieOfLogin = 'countersign-session'

/** Runs one case to its outcome. Never throws: what goes wrong on the way is the measured outcome. */
export async function runCase(one: LabCase, around: Surroundings, trace: Trace): Promise<CaseResult> {
  const startedAt = performance.now()
  const expected = one.differs[around.engine]?.expected ?? one.expected
  const run = new CaseRun(one, around, trace)
  const late: Measured = { kind: 'unsettled', why: `no outcome in ${maxCaseMs / 1_000} s` }
  const measured = await within(maxCaseMs, run.outcome(), late)
  const complaint = sameOutcome(measured, expected) ? run.complaint(one.check) : ''
  const agrees = sameOutcome(measured, expected) && complaint === ''
  const ms = Math.round(performance.now() - startedAt)
  return {
    id: one.id,
    door: one.door,
    expected,
    measured,
    agrees,
    ms,
    note: complaint || noteOn(one, around.engine),
  }
}

/** Logs in again as the user that this page belongs to. @throws Error when the site refuses */
export async function logInAgain(facts: LabFacts, username: string): Promise<void> {
  const { password, username: name } = accountOf(facts, username)
  await postJson('/login', { username: name, password })
  await getJson('/me')
}

function noteOn(one: LabCase, engine: Engine): string {
  return one.differs[engine]?.why ?? ''
}

class CaseRun {
  readonly #case: LabCase
  readonly #around: Surroundings
  readonly #trace: Trace
  readonly #slots = new Map<Slot, Credential>()
  #last: Knock | undefined
  #measured: Measured = { kind: 'unsettled', why: 'the case has no step' }

  constructor(one: LabCase, around: Surroundings, trace: Trace) {
    this.#case = one
    this.#around = around
    this.#trace = trace
  }

  async outcome(): Promise<Measured> {
    try {
      for (const [index, step] of this.#case.steps.entries()) {
        const early = await this.#take(step, index === this.#case.steps.length - 1)
        if (early !== undefined) return early
      }
      return this.#measured
    } catch (error) {
      return { kind: 'unsettled', why: error instanceof Error ? error.message : 'the page failed' }
    } finally {
      this.#last?.close()
    }
  }

  /** What is wrong although the outcome is right; empty when nothing is. */
  complaint(check: Check | undefined): string {
    const last = this.#last
    if (last === undefined) return ''
    if (check === undefined) return this.#strangerGreeted(last)
    return checks[check](last) ? this.#strangerGreeted(last) : complaints[check]
  }

  /** @returns the outcome, if this step ends the case before its last one */
  async #take(step: Step, isLast: boolean): Promise<Measured | undefined> {
    switch (step.kind) {
      case 'obtain':
      case 'invent':
        await this.#fill(step)
        return undefined
      case 'show':
        return this.#judge(await this.#show(step.at, step.slot, step.door ?? this.#case.door), isLast)
      case 'hold':
        return this.#judge(await this.#open(step.at, step.slot, this.#case.door), isLast)
      case 'join':
        return this.#judge(await this.#join(step), isLast)
      case 'exchange':
        return this.#judge(await this.#exchange(step.slot), isLast)
      case 'attack':
        return this.#judge(await this.#attack(), true)
      case 'await-close':
        this.#measured = (await this.#last?.closed) ?? this.#measured
        return undefined
      case 'forget':
      case 'log-out':
      case 'plant-session':
        await this.#prepare(step)
        return undefined
    }
  }

  #judge(measured: Measured, isLast: boolean): Measured | undefined {
    this.#measured = measured
    if (isLast || measured.kind === 'accepted' || measured.kind === 'joined') return undefined
    return { kind: 'unsettled', why: `before that: ${describeOutcome(measured)}` }
  }

  async #fill(step: Extract<Step, { kind: 'obtain' | 'invent' }>): Promise<void> {
    const audience = (step.kind === 'obtain' ? step.audience : undefined) ?? audienceOf(this.#case.door)
    const { facts, username } = this.#around
    const request = { facts, username, audience, witness: this.#trace.witness }
    if (step.kind === 'invent') this.#slots.set(step.into, inventCredential(step.what, request))
    else if (step.expired) this.#slots.set(step.into, await obtainExpired(step.what, request))
    else this.#slots.set(step.into, await obtainCredential(step.what, request))
  }

  async #show(at: Place, slot: Slot, door: DoorId): Promise<Measured> {
    const measured = await this.#open(at, slot, door)
    this.#last?.close()
    this.#around.showGate(door, measured.kind === 'accepted' ? 'closing' : 'refused')
    return measured
  }

  async #open(at: Place, slot: Slot, door: DoorId): Promise<Measured> {
    const { facts, showGate } = this.#around
    const url = doorOf(facts, audienceOf(door)).url
    const plan = planAt(at, {
      url,
      credential: this.#slots.get(slot),
      oldSignature: this.#last?.signature ?? '',
    })
    showGate(door, 'knocking')
    const behind = this.#case.check === 'in-order' ? ['one', 'two'] : []
    this.#last = await knock(
      { ...plan, url: withProbe(plan.url, this.#trace.probe()) },
      { patienceMs, behind },
    )
    if (this.#last.measured.kind === 'accepted') showGate(door, 'open')
    return this.#last.measured
  }

  /** At the WAMP router, whichever door the case belongs to. */
  async #join({ by, at, slot, deed, stays }: Extract<Step, { kind: 'join' }>): Promise<Measured> {
    const { facts, username, showGate } = this.#around
    const { door } = this.#case
    const { realm = '' } = doorOf(facts, wampPlace.id)
    const url = wampUrl(facts, at)
    const held = this.#slots.get(slot)
    showGate(door, 'knocking')
    if (by === 'certificate') await warmUp(`${httpOrigin(url)}/`)
    this.#last = await joinRealm({
      client: loadAutobahn,
      url: withProbe(url, this.#trace.probe()),
      realm,
      by,
      authid: held?.kind === 'pair' ? held.username : accountOf(facts, username).username,
      secret: held?.kind === 'pair' ? held.secret : held?.kind === 'text' ? held.text : '',
      oldSignature: this.#last?.signature ?? '',
      deed,
      patienceMs,
    })
    const { measured } = this.#last
    showGate(door, isOpen(measured) ? 'open' : 'refused')
    if (stays) return measured
    this.#last.close()
    if (isOpen(measured)) showGate(door, 'closing')
    return measured
  }

  async #exchange(slot: Slot): Promise<Measured> {
    const held = this.#slots.get(slot)
    const door = this.#case.door
    const { url } = doorOf(this.#around.facts, audienceOf(door))
    this.#around.showGate(door, 'knocking')
    const done = await exchangeInFrame(url, held?.kind === 'text' ? held.text : '')
    this.#trace.frame(
      { from: 'browser', text: 'hidden frame: GET /countersign/frame, then postMessage with the ticket' },
      { from: 'browser', text: 'POST /countersign/exchange' },
      { from: 'site', text: done ? 'countersign-frame-done: Set-Cookie' : 'countersign-frame-failed' },
    )
    if (!done) this.#around.showGate(door, 'refused')
    return done ? accepted : unexchanged
  }

  async #attack(): Promise<Measured> {
    this.#around.showGate(this.#case.door, 'knocking')
    const { measured, probe } = await this.#around.attack(this.#case.door)
    if (probe !== '') this.#trace.adopt(probe)
    this.#around.showGate(this.#case.door, measured.kind === 'accepted' ? 'open' : 'refused')
    return measured
  }

  async #prepare(step: Extract<Step, { kind: 'forget' | 'log-out' | 'plant-session' }>): Promise<void> {
    if (step.kind === 'log-out') await postJson('/logout', {}, this.#trace.witness)
    else if (step.kind === 'plant-session') {
      document.cookie = `${cookieOfLogin}=css_${randomText()}; path=/; samesite=lax`
    } else if (step.what === 'basic') await this.#forgetBasic()
    else await postJson('/lab/forget', { door: this.#case.door }, this.#trace.witness)
  }

  /** A spent ticket displaces what the browser remembers; shown once more by the browser and refused, it is forgotten too. */
  async #forgetBasic(): Promise<void> {
    const audience = audienceOf(this.#case.door)
    await this.#fill({ kind: 'obtain', what: 'ticket', expired: false, audience, into: 'b' })
    const { url } = doorOf(this.#around.facts, audience)
    const parts = { url, credential: this.#slots.get('b'), oldSignature: '' }
    for (const at of ['user-name', 'nothing'] as const) {
      const visit = await knock(planAt(at, parts), { patienceMs: 3_000, behind: [] })
      visit.close()
    }
    this.#slots.delete('b')
  }

  #strangerGreeted({ greeted }: Knock): string {
    const { username, facts } = this.#around
    const others = this.#case.door === 'D11' || this.#case.door === 'D12'
    if (greeted === undefined || others || greeted === accountOf(facts, username).username) return ''
    return `it greeted ${greeted}`
  }
}

const begins = (frame: string | undefined, start: string): boolean => frame?.startsWith(start) ?? false

const checks: Readonly<Record<Check, (last: Knock) => boolean>> = {
  'greeting-first': ({ frames }) => begins(frames[0], 'Hello '),
  'auth-ok-first': ({ frames }) => begins(frames[0], '{"type":"auth_ok"') && begins(frames[1], 'Hello '),
  // The outcome is "accepted" only when the echoes came in the order in which the messages were sent.
  'in-order': ({ frames }) => frames.indexOf('one') >= 0 && frames.indexOf('one') < frames.indexOf('two'),
  'public-subprotocol': ({ protocol }) => protocol === publicSubprotocol,
  'challenge-shape': ({ realShape }) => realShape === true,
}

const complaints: Readonly<Record<Check, string>> = {
  'greeting-first': 'a frame came before the greeting',
  'auth-ok-first': 'auth_ok did not come first',
  'in-order': 'the messages came back in another order',
  'public-subprotocol': 'another subprotocol was selected',
  'challenge-shape': 'the challenge looks unlike a real user’s',
}
