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
import { checks, complaints } from './checks.ts'
import { inventCredential, obtainCredential, obtainExpired, type Credential } from './credential.ts'
import { accountOf, doorOf, httpOrigin, wampUrl, type LabFacts } from './facts.ts'
import { exchangeInFrame } from './frame-exchange.ts'
import { dismissGuest, endGuest, forgetGuest, inviteGuest, type Guest } from './guest.ts'
import { extend } from './extend.ts'
import { knock, warmUp, type Knock } from './knock.ts'
import { comesLate, tellTicks, toldWithinMs } from './lateness.ts'
import { within } from './later.ts'
import { joinPlan } from './join-plan.ts'
import { knockByProgram } from './program.ts'
import { randomText } from './random-text.ts'
import {
  accepted,
  describeOutcome,
  isOpen,
  sameOutcome,
  stays,
  unexchanged,
  type Measured,
} from './outcome.ts'
import { planAt, withProbe, withTicks } from './plan.ts'
import { getJson, postJson } from './site.ts'
import { socketIoPlan } from './socket-io-plan.ts'
import { visitSocketIo } from './socket-io-visit.ts'
import type { LeaseNews, Surroundings } from './surroundings.ts'
import type { Trace } from './trace.ts'
import { joinRealm } from './wamp-join.ts'

/** No case takes longer, ms. */
export const maxCaseMs = 15_000

/** Long enough for any answer, short enough to leave room for the rest of the case, ms. */
const patienceMs = 13_000

/** How long a socket is watched that is to stay open, ms. */
const momentMs = 1_000

const noPath: Measured = { kind: 'unsettled', why: 'no connection that could come back' }

const cookieOfLogin = 'countersign-session'

/** What a case tells while it runs. */
export interface CaseTold {
  readonly trace: Trace
  /** Called when only its open socket is left to be watched: what it took of the browser is free again. */
  readonly watching: () => void
}

/** Runs one case to its outcome. Never throws: what goes wrong on the way is the measured outcome. */
export async function runCase(one: LabCase, around: Surroundings, told: CaseTold): Promise<CaseResult> {
  const startedAt = performance.now()
  const expected = one.differs[around.engine]?.expected ?? one.expected
  const run = new CaseRun(one, around, told)
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
    note: complaint || run.note || noteOn(one, around.engine),
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
  readonly #watching: () => void
  readonly #slots = new Map<Slot, Credential>()
  #last: Knock | undefined
  #guest: Guest | undefined
  #note = ''
  #measured: Measured = { kind: 'unsettled', why: 'the case has no step' }

  constructor(one: LabCase, around: Surroundings, { trace, watching }: CaseTold) {
    this.#case = one
    this.#around = around
    this.#trace = trace
    this.#watching = watching
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
      if (this.#guest !== undefined) await this.#sayGoodbye(this.#guest)
    }
  }

  /** What was measured besides; empty when nothing was. */
  get note(): string {
    return this.#note
  }

  /** What is wrong although the outcome is right; empty when nothing is. */
  complaint(check: Check | undefined): string {
    const last = this.#last
    if (last === undefined) return ''
    if (check === undefined) return this.#strangerGreeted(last)
    if (check === 'nothing-late') return comesLate(last.ticks, this.#guest)
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
      case 'connect':
        return this.#judge(await this.#connect(step), isLast)
      case 'lose':
        await this.#last?.path?.lose()
        return undefined
      case 'return':
        return this.#judge(await this.#return(), isLast)
      case 'exchange':
        return this.#judge(await this.#exchange(step.slot), isLast)
      case 'attack':
        return this.#judge(await this.#attack(step.by), true)
      case 'invite':
        this.#guest = await inviteGuest({ door: this.#case.door, ...step }, this.#trace.witness)
        this.#slots.set('a', this.#guest.credential)
        return undefined
      case 'end':
      case 'refresh':
      case 'renew':
        return this.#disturb(step)
      case 'watch':
        this.#measured = await this.#watch(step.until)
        return undefined
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

  /** @returns an outcome only when the case makes no sense any more */
  async #disturb(step: Extract<Step, { kind: 'end' | 'refresh' | 'renew' }>): Promise<Measured | undefined> {
    const guest = this.#guest
    if (guest === undefined) return { kind: 'unsettled', why: 'nobody was invited' }
    const { witness } = this.#trace
    if (step.kind === 'end') {
      await endGuest(guest, step.by, witness)
      return undefined
    }
    const { odd, note, endsAtMs } = await extend(step, { guest, line: this.#last?.line, witness })
    this.#note = note
    if (endsAtMs !== undefined) this.#tell({ kind: 'open', endsAtMs })
    return odd === '' ? undefined : { kind: 'unsettled', why: odd }
  }

  /** How the socket that is open ends, or that it does not: then it must still answer. */
  async #watch(until: Extract<Step, { kind: 'watch' }>['until']): Promise<Measured> {
    const last = this.#last
    if (last === undefined) return { kind: 'unsettled', why: 'no socket is open' }
    const guest = this.#guest
    if (guest !== undefined && this.#case.alone) await forgetGuest(guest)
    this.#watching()
    const endMs = (guest?.firstEndMs ?? 0) + (guest?.graceMs ?? 0) + toldWithinMs
    const waitMs = until === 'first-end' ? endMs + momentMs / 2 - Date.now() : momentMs
    const open: Measured = { kind: 'unsettled', why: 'open, but silent' }
    const ended = await within(waitMs, last.closed, open)
    if (ended === open) {
      this.#tell({ kind: 'left' })
      if (await last.answers()) return stays
      // A program's socket is heard of by asking: its end may be on the way.
      return within(momentMs, last.closed, open)
    }
    if (guest !== undefined && this.#case.check === 'nothing-late') this.#note = tellTicks(last.ticks, guest)
    this.#tell({ kind: 'ended', measured: ended })
    return ended
  }

  #tell(news: LeaseNews): void {
    this.#around.showLease(this.#case.door, this.#case.id, news)
  }

  async #sayGoodbye(guest: Guest): Promise<void> {
    this.#tell({ kind: 'left' })
    await dismissGuest(guest)
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
    if (at === 'program') return this.#letConnect(door)
    const behind = this.#case.check === 'in-order' ? ['one', 'two'] : []
    const target = this.#case.check === 'nothing-late' ? withTicks(plan.url) : plan.url
    this.#last = await knock({ ...plan, url: withProbe(target, this.#trace.probe()) }, { patienceMs, behind })
    if (this.#last.measured.kind === 'accepted') this.#opened(door)
    return this.#last.measured
  }

  async #letConnect(door: DoorId): Promise<Measured> {
    if (this.#guest === undefined) return { kind: 'unsettled', why: 'nobody was invited' }
    const parts = { probe: this.#trace.probe(), ticks: this.#case.check === 'nothing-late' }
    this.#last = await knockByProgram(this.#guest, parts, this.#trace.witness)
    if (this.#last.measured.kind === 'accepted') this.#opened(door)
    return this.#last.measured
  }

  #opened(door: DoorId): void {
    this.#around.showGate(door, 'open')
    if (this.#guest !== undefined) this.#tell({ kind: 'open', endsAtMs: this.#guest.firstEndMs })
  }

  /** At the WAMP router, whichever door the case belongs to. */
  async #join(step: Extract<Step, { kind: 'join' }>): Promise<Measured> {
    const { facts, username, showGate } = this.#around
    showGate(this.#case.door, 'knocking')
    if (step.by === 'certificate') await warmUp(`${httpOrigin(wampUrl(facts, step.at))}/`)
    const parts = {
      facts,
      username: this.#guest?.username ?? accountOf(facts, username).username,
      credential: this.#slots.get(step.slot),
      probe: this.#trace.probe(),
      oldSignature: this.#last?.signature ?? '',
      patienceMs,
    }
    this.#last = await joinRealm(joinPlan(step, parts))
    return this.#leave(this.#last, step.stays)
  }

  async #connect(step: Extract<Step, { kind: 'connect' }>): Promise<Measured> {
    const { door, check } = this.#case
    this.#around.showGate(door, 'knocking')
    const parts = {
      url: doorOf(this.#around.facts, audienceOf(door)).url,
      credential: this.#slots.get('a'),
      probe: this.#trace.probe(),
      ticks: check === 'nothing-late',
      patienceMs,
    }
    this.#last = await visitSocketIo(socketIoPlan(step, parts))
    return this.#leave(this.#last, step.stays)
  }

  async #return(): Promise<Measured> {
    const { showGate } = this.#around
    showGate(this.#case.door, 'knocking')
    const measured = (await this.#last?.path?.comeBack()) ?? noPath
    showGate(this.#case.door, isOpen(measured) ? 'open' : 'refused')
    return measured
  }

  /** Shows what came of a visit, and ends it unless it is to stay. */
  #leave({ measured, close }: Knock, isToStay: boolean): Measured {
    const { showGate } = this.#around
    const { door } = this.#case
    if (isOpen(measured)) this.#opened(door)
    else showGate(door, 'refused')
    if (isToStay) return measured
    close()
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

  async #attack(by: Extract<Step, { kind: 'attack' }>['by']): Promise<Measured> {
    this.#around.showGate(this.#case.door, 'knocking')
    const { measured, probe } = await this.#around.attack(this.#case.door, by)
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
    const awaited = this.#guest?.username ?? accountOf(facts, username).username
    if (greeted === undefined || (others && this.#guest === undefined) || greeted === awaited) return ''
    return `it greeted ${greeted}`
  }
}
