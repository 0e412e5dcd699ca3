/** A9: a socket outlives an expiry, a new password, a disabled account, a lost role, or an administrator’s kill. */
import { takesEffect, observe, sendCanary } from '../canary-effect.ts'
import type { Check, Finding, Scene } from '../check.ts'
import { runHook, undoHook } from '../hooks.ts'
import { LoginFailed, type Identity } from '../identity.ts'
import { defaultEndBudgetMs, describeFate, watch, type Fate } from '../lasting.ts'
import { isSomebody, low, sight } from '../needs.ts'
import type { Trigger } from '../options.ts'
import { describeView, type Stay } from '../oracle.ts'
import { failOr, finding, inconclusive, notTested, pass } from '../verdict.ts'

/** Triggers beside the logout, and what each is called. */
const triggers: Readonly<Record<Exclude<Trigger, 'logout'>, string>> = {
  expiry: 'the end of the session’s time',
  password: 'a change of the password',
  role: 'the loss of a role',
  kill: 'an administrator’s end of the session',
  disable: 'the disabling of the account',
}

/** What a trial takes beside the wait, milliseconds. */
const marginMs = 3_000

/** One trigger, and what became of the socket. */
interface Trial {
  readonly trigger: Trigger
  readonly says: string
  readonly kind: 'ended' | 'alive' | 'unknown' | 'not tried'
  readonly exchange: Stay['exchange']
}

/** Ends beside the logout. */
export const otherEnds: Check = {
  id: 'A9',
  title: 'A socket stays its user’s although the right to it has ended',
  cwe: [613, 863],
  asvs: ['7.4.1', '7.4.2', '7.4.3', '7.4.5', '8.3.2'],
  safety: 'S',
  needs: [
    sight,
    low,
    {
      missing: 'hooks for "expiry", "password", "disable", "role" or "kill"',
      met: ({ options }) => triggersOf(options.hooks).length > 0,
    },
  ],
  lastly: true,
  why: 'An account is disabled, or a password changed, because somebody is inside who should not be. If that reaches only new connections, the one who is to be thrown out stays, for hours.',
  remedy: {
    text: 'Give every open socket an end and a mark under which it was admitted; compare before each message in either direction, and close when the mark is taken back or the time is over.',
    ws: 'events.on("revoked", ({ userId }) => {\n  for (const ws of socketsOf.get(userId) ?? []) ws.terminate()\n})\nconst timer = setTimeout(() => ws.terminate(), session.expiresAt - Date.now())',
    socketIo:
      'io.in(`user:${userId}`).disconnectSockets(true)\nsetTimeout(() => socket.disconnect(true), session.expiresAt - Date.now())',
    countersign:
      "await guard.revoke({ subject: 'user-17' }) // and leases end by themselves with what they rest upon",
  },
  async run(scene) {
    const { low: identity, options } = scene
    if (identity === undefined) return notTested(low.missing)
    const trials: Trial[] = []
    for (const trigger of triggersOf(options.hooks)) trials.push(await tryTrigger(scene, identity, trigger))
    const findings = trials.filter(({ kind }) => kind === 'alive').map(findingOf)
    const says = trials.map((trial) => trial.says).join('; ')
    const exchanges = trials.map(({ exchange }) => exchange)
    if (trials.every(({ kind }) => kind === 'not tried')) return notTested(says)
    const clear = trials.every(({ kind }) => kind === 'ended')
    return failOr(findings, clear ? pass(says, ...exchanges) : inconclusive(says, ...exchanges))
  },
}

function triggersOf(hooks: Scene['options']['hooks']): readonly Exclude<Trigger, 'logout'>[] {
  const names = Object.keys(triggers) as (keyof typeof triggers)[] // the table's own keys
  return names.filter((name) => hooks?.[name] !== undefined)
}

function findingOf({ trigger, says, exchange }: Trial): Finding {
  return finding('high', says, { subject: trigger, exchanges: [exchange] })
}

/** Opens a socket, pulls one trigger, watches, and makes up for it. */
async function tryTrigger(
  scene: Scene,
  identity: Identity,
  trigger: Exclude<Trigger, 'logout'>,
): Promise<Trial> {
  const trial = (kind: Trial['kind'], says: string, exchange: Stay['exchange'] = []): Trial => ({
    trigger,
    kind,
    says: `after ${triggers[trigger]} ${says}`,
    exchange,
  })
  if (scene.budget.leftMs < (scene.options.endBudgetMs ?? defaultEndBudgetMs) + marginMs)
    return trial('not tried', 'nothing was tried, as the time of the audit is over')
  try {
    await identity.loginAgain()
  } catch (error) {
    if (!(error instanceof LoginFailed)) throw error
    return trial('not tried', `nothing was tried, as "low" cannot log in any more: ${error.message}`)
  }
  const stay = await scene.oracle.stay(await identity.present())
  try {
    if (!isSomebody(stay.view, scene))
      return trial('not tried', `nothing was tried: ${describeView(stay.view)}`, stay.exchange)
    const trouble = await runHook(scene, trigger)
    if (trouble !== undefined)
      return trial('not tried', `nothing was tried without ${trouble}`, stay.exchange)
    const fate =
      trigger === 'role' ? await watchRole(scene, stay) : await watch(scene, stay, stay.visit.ageMs)
    const says = describeFate(fate, scene.options.endBudgetMs ?? defaultEndBudgetMs)
    stay.visit.note(says)
    const kind = fate.kind === 'alive' || fate.kind === 'unknown' ? fate.kind : 'ended'
    return trial(kind, says, stay.exchange)
  } finally {
    await stay.visit.leave()
    await undoHook(scene, trigger)
    await identity.loginAgain().catch(onlyFailedLogins)
  }
}

/** A socket may live on without the role: what counts is whether a message that needs it still has its effect. */
async function watchRole(scene: Scene, stay: Stay): Promise<Fate> {
  const canary = scene.options.canaries?.find(({ allowedFor }) => allowedFor === 'low')
  const sinceMs = stay.visit.ageMs
  const fate = await watch(scene, stay, sinceMs)
  if (fate.kind !== 'alive') return fate
  const observer = canary === undefined ? undefined : await observe(scene, canary)
  if (observer === undefined) return { kind: 'unknown' }
  try {
    const works = await takesEffect(scene, observer, (marked) => sendCanary(scene, stay.visit, marked))
    return works ? { kind: 'alive' } : { kind: 'nobody', afterMs: stay.visit.ageMs - sinceMs }
  } finally {
    await observer.stay.visit.leave()
  }
}

function onlyFailedLogins(error: unknown): void {
  if (!(error instanceof LoginFailed)) throw error
}
