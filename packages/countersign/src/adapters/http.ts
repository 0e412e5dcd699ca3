/** `countersign/http`: Node's `upgrade` event judged by a guard, for any WebSocket library that takes over sockets. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Hiding } from '../core/carrier.ts'
import { isThenable, settle, type PeerTurn, type Turn } from '../core/drive.ts'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { Accepted, Decision, Refused } from '../core/knock.ts'
import { refuse } from '../core/knock.ts'
import { deny } from '../core/verdict.ts'
import { checkUpgrade } from '../wire/upgrade.ts'
import { handshakeOf, type HandshakeSources } from './handshake.ts'
import { hide } from './hide.ts'
import { trustProxies, type ProxyOptions } from './proxies.ts'
import { answerHttp, httpRefusal, ignoreError } from './refuse.ts'

export { hide } from './hide.ts'
export { handshakeOf, type HandshakeSources } from './handshake.ts'
export { trustProxies, type ProxyOptions, type ProxyTrust } from './proxies.ts'
export { answerHttp, httpRefusal, type HttpAnswer } from './refuse.ts'

/** Options that every adapter shares. */
export interface UpgradeOptions {
  /** Proxies that are believed about addresses, TLS and certificates. @default none */
  readonly proxies?: ProxyOptions
}

/** An upgrade that is on its way: the request has been cleaned already. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly handshake: Handshake
}

/**
 * What the WebSocket side does with each outcome. Exactly one is called for an upgrade that is not refused by HTTP.
 * From that call on the socket, its `error` events included, is the called one's.
 */
export interface UpgradeSteps {
  accepted(upgrade: Upgrade, decision: Accepted): void
  /** To be told by accepting and closing. */
  refused(upgrade: Upgrade, decision: Refused): void
  /** The peer has the word: open the socket and bring its first message. */
  peer(upgrade: Upgrade, turn: PeerTurn<Decision>): void
}

/**
 * Judges upgrades. Give the returned function to `server.on('upgrade', …)`. It never throws; a socket that it refuses
 * is gone within the guard's `lingerMs`.
 */
export function judgeUpgrades(
  guard: Guard,
  steps: UpgradeSteps,
  options: UpgradeOptions = {},
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const sources: HandshakeSources = {
    trust: options.proxies === undefined ? undefined : trustProxies(options.proxies),
    certificates: guard.places.ambient.some((place) => place.carrier.key === 'tls'),
  }
  const hiding = hidingOf(guard, options)
  return (request, socket, head) => {
    const shape = checkUpgrade(request)
    if (shape !== 'ok') {
      answerHttp(
        socket,
        { status: shape.status, headers: shape.headers, body: 'Bad request' },
        guard.limits.lingerMs,
      )
      return
    }
    const handshake = handshakeOf(request, sources)
    if (typeof handshake === 'string') {
      answerHttp(socket, httpRefusal(guard, plain(handshake)), guard.limits.lingerMs)
      return
    }
    const turn = guard.knock(handshake)
    // While a verdict is waited for, a reset of the peer would be an unhandled 'error'.
    if (isThenable(turn)) socket.on('error', ignoreError)
    hide(request, hiding)
    const upgrade: Upgrade = { request, socket, head, handshake }
    // A verdict that is waited for does not suspend the deadline.
    const deadline = isThenable(turn)
      ? setTimeout(tooLate, guard.limits.deadlineMs, guard, upgrade)
      : undefined
    settle(
      turn,
      (value) => {
        clearTimeout(deadline)
        proceed(guard, { steps, upgrade, turn: value })
      },
      (error) => {
        // A guard never fails: what is caught here was thrown by the application's own listeners.
        guard.failed(error)
        socket.destroy()
      },
    )
  }
}

/** What carriers hide, and the secret by which a proxy proves itself. */
function hidingOf(guard: Guard, options: UpgradeOptions): Hiding {
  const proof = options.proxies?.certificates?.proof
  if (typeof proof !== 'object') return guard.hiding
  return { ...guard.hiding, headers: [...guard.hiding.headers, proof.header.toLowerCase()] }
}

function tooLate(guard: Guard, upgrade: Upgrade): void {
  const decision = guard.refusal(upgrade.handshake, 'authentication_timeout')
  answerHttp(upgrade.socket, httpRefusal(guard, decision), guard.limits.lingerMs)
}

function proceed(
  guard: Guard,
  at: { readonly steps: UpgradeSteps; readonly upgrade: Upgrade; readonly turn: Turn<Decision> },
): void {
  const { steps, upgrade, turn } = at
  if (upgrade.socket.destroyed || upgrade.socket.writableEnded) {
    abandon(turn, upgrade.handshake, guard)
    return
  }
  if (turn.kind === 'peer') steps.peer(upgrade, turn)
  else if (turn.value.kind === 'accepted') steps.accepted(upgrade, turn.value)
  else if (turn.value.tell === 'close' && !guard.pool.crowded) steps.refused(upgrade, turn.value)
  else answerHttp(upgrade.socket, httpRefusal(guard, turn.value), guard.limits.lingerMs)
}

/** The peer vanished, or the deadline passed, while its credential was judged. */
export function abandon(turn: Turn<Decision>, handshake: Handshake, guard: Guard): void {
  if (turn.kind === 'peer') turn.leave(refuse(guard, handshake, deny('authentication_timeout')))
  else if (turn.value.kind === 'accepted') turn.value.lease.leave()
}

function plain(reason: Refused['reason']): Refused {
  return { kind: 'refused', reason, retryAfterMs: undefined, tell: 'http', reply: 'bare' }
}
