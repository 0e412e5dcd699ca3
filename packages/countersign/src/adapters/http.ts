/** `countersign/http`: Node's `upgrade` event judged by a guard, for any WebSocket library that takes over sockets. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Hiding } from '../core/carrier.ts'
import { isThenable, type PeerTurn, type Turn } from '../core/drive.ts'
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
  /** Cleaned: credentials are gone from `url`, `headers` and `rawHeaders`. */
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came behind the handshake in the same chunk: hand it to whatever takes the socket over. */
  readonly head: Buffer
  readonly handshake: Handshake
}

/**
 * What the WebSocket side does with each outcome. Exactly one is called for an upgrade that is not refused by HTTP.
 * From that call on the socket, its `error` events included, is the called one's.
 */
export interface UpgradeSteps {
  /** Let in: hold and open the lease, or leave it. */
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
    hide(request, hiding)
    const at = { steps, upgrade: { request, socket, head, handshake } }
    if (isThenable(turn)) awaitVerdict(guard, at, turn)
    else proceed(guard, at, turn)
  }
}

/** An upgrade that is judged, and what follows. */
interface Judging {
  readonly steps: UpgradeSteps
  readonly upgrade: Upgrade
}

/** While a verdict is waited for, the socket takes a place in the pool, and its deadline runs. */
function awaitVerdict(guard: Guard, at: Judging, turn: PromiseLike<Turn<Decision>>): void {
  const { socket, handshake } = at.upgrade
  // A reset of the peer would be an unhandled 'error' meanwhile.
  socket.on('error', ignoreError)
  const admitted = guard.pool.occupy(socket)
  if (!admitted) refuseByHttp(guard, at.upgrade, guard.refusal(handshake, 'overloaded'))
  const deadline = admitted ? setTimeout(tooLate, guard.limits.deadlineMs, guard, at.upgrade) : undefined
  const proceedWith = (value: Turn<Decision>): void => {
    clearTimeout(deadline)
    guard.pool.vacate(socket)
    proceed(guard, at, value)
  }
  turn.then(proceedWith).then(undefined, (error) => {
    // A guard never fails: what is caught here was thrown by the application's own listeners.
    guard.failed(error)
    socket.destroy()
  })
}

/** What carriers hide, and the secret by which a proxy proves itself. */
export function hidingOf(guard: Guard, options: UpgradeOptions): Hiding {
  const proof = options.proxies?.certificates?.proof
  if (typeof proof !== 'object') return guard.hiding
  return { ...guard.hiding, headers: [...guard.hiding.headers, proof.header.toLowerCase()] }
}

/**
 * The verdict is still awaited; when it falls, it finds the socket ended and gives back what it was granted.
 */
function tooLate(guard: Guard, upgrade: Upgrade): void {
  refuseByHttp(guard, upgrade, guard.refusal(upgrade.handshake, 'authentication_timeout'))
}

function refuseByHttp(guard: Guard, upgrade: Upgrade, decision: Refused): void {
  answerHttp(upgrade.socket, httpRefusal(guard, decision), guard.limits.lingerMs)
}

/**
 * Hands the outcome to the step that it is for. In a crowded pool refusals go by HTTP: telling a browser
 * costs a place for `lingerMs`.
 */
function proceed(guard: Guard, { steps, upgrade }: Judging, turn: Turn<Decision>): void {
  if (upgrade.socket.destroyed || upgrade.socket.writableEnded) abandon(turn, upgrade.handshake, guard)
  else if (turn.kind === 'peer') steps.peer(upgrade, turn)
  else if (turn.value.kind === 'accepted') steps.accepted(upgrade, turn.value)
  else if (turn.value.tell === 'close' && !guard.pool.crowded) steps.refused(upgrade, turn.value)
  else refuseByHttp(guard, upgrade, turn.value)
}

/** The peer vanished, or the deadline passed, while its credential was judged. */
export function abandon(turn: Turn<Decision>, handshake: Handshake, guard: Guard): void {
  if (turn.kind === 'peer') turn.leave(refuse(guard, handshake, deny('authentication_timeout')))
  else if (turn.value.kind === 'accepted') turn.value.lease.leave()
}

/** A refusal that no guard was asked for. */
function plain(reason: Refused['reason']): Refused {
  return { kind: 'refused', reason, retryAfterMs: undefined, tell: 'http', reply: 'bare' }
}
