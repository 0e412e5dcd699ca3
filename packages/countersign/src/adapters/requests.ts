/** Ordinary HTTP requests judged by a guard: each has a lease of its own, as long as its response takes. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isThenable, type Turn } from '../core/drive.ts'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { Decision } from '../core/knock.ts'
import type { Lease, LeaseHolder } from '../core/lease.ts'
import type { Reason } from '../core/reasons.ts'
import { handshakeOf, type HandshakeSources } from './handshake.ts'
import { hide } from './hide.ts'
import { abandon, hidingOf, type UpgradeOptions } from './http.ts'
import { trustProxies } from './proxies.ts'
import { httpRefusal, refuseRequest } from './refuse.ts'

/** A request as frameworks in the manner of Connect have it: `url` is what is left below where a router is mounted. */
export interface MountedRequest extends IncomingMessage {
  originalUrl?: string
  baseUrl?: string
}

/** What happens to a request that was let in. */
export type LetIn<R> = (request: R, response: ServerResponse, lease: Lease) => void

/** A response that is still written when its lease ends is cut off. */
const holder: LeaseHolder<ServerResponse> = {
  warn() {
    // There is nobody to ask.
  },
  close: (response) => void response.destroy(),
}

/**
 * Judges ordinary requests; the returned function never throws. Refusals are told by HTTP. Where a guard would listen to
 * a first message there is none: the credential is missing.
 */
export function judgeRequests<R extends MountedRequest>(
  guard: Guard,
  letIn: LetIn<R>,
  options: UpgradeOptions = {},
): (request: R, response: ServerResponse) => void {
  const sources: HandshakeSources = {
    trust: options.proxies === undefined ? undefined : trustProxies(options.proxies),
    certificates: guard.places.ambient.some((place) => place.carrier.key === 'tls'),
  }
  const hiding = hidingOf(guard, options)
  return (request, response) => {
    const mounted = mount(request)
    const facts = handshakeOf(request, sources)
    const handshake = typeof facts === 'string' ? facts : withOrigin(facts, request)
    if (typeof handshake === 'string') {
      hide(request, hiding)
      mounted.restore()
      refuseBy(guard, response, handshake)
      return
    }
    const turn = guard.knock(handshake)
    hide(request, hiding)
    mounted.restore()
    const proceed = (value: Turn<Decision>): void => {
      if (response.writableEnded || response.destroyed) abandon(value, handshake, guard)
      else if (value.kind === 'peer') {
        value.leave(guard.refusal(handshake, 'missing_credential'))
        refuseBy(guard, response, 'missing_credential')
      } else if (value.value.kind === 'refused') refuseRequest(response, httpRefusal(guard, value.value))
      else {
        const { lease } = value.value
        bind(response, lease, () => letIn(request, response, lease))
      }
    }
    if (isThenable(turn)) awaitVerdict(guard, { response, handshake }, turn.then(proceed))
    else proceed(turn)
  }
}

/** While a verdict is waited for, the response takes a place in the pool, and its deadline runs. */
function awaitVerdict(
  guard: Guard,
  { response, handshake }: { readonly response: ServerResponse; readonly handshake: Handshake },
  verdict: PromiseLike<void>,
): void {
  const late = (reason: Reason): void =>
    refuseRequest(response, httpRefusal(guard, guard.refusal(handshake, reason)))
  if (!guard.pool.occupy(response)) late('overloaded')
  const deadline = setTimeout(late, guard.limits.deadlineMs, 'authentication_timeout')
  const over = (): void => {
    clearTimeout(deadline)
    guard.pool.vacate(response)
  }
  verdict.then(over, (error: unknown) => {
    over()
    // A guard never fails: what is caught here was thrown by the application's own handlers.
    guard.failed(error)
    response.destroy()
  })
}

function bind(response: ServerResponse, lease: Lease, letIn: () => void): void {
  lease.hold(holder, response)
  response.once('close', () => lease.leave())
  if (lease.open()) letIn()
  else response.destroy()
}

function refuseBy(guard: Guard, response: ServerResponse, reason: Reason): void {
  const refused = { kind: 'refused', reason, retryAfterMs: undefined, tell: 'http', reply: 'bare' } as const
  refuseRequest(response, httpRefusal(guard, refused))
}

/**
 * Browsers leave `Origin` out of ordinary requests that only read. What they say instead (Fetch Metadata) cannot be set
 * by a page: of its own origin is as good as an `Origin`; of another, without one, is refused.
 */
function withOrigin(handshake: Handshake, { headers }: IncomingMessage): Handshake | Reason {
  const site = headers['sec-fetch-site']
  if (handshake.origin !== undefined || site === undefined || site === 'none') return handshake
  if (site !== 'same-origin' || handshake.host === undefined) return 'forbidden_origin'
  return { ...handshake, origin: `${handshake.secure ? 'https' : 'http'}://${handshake.host}` }
}

/** Shows the whole URL until `restore`, which takes off what a router had taken off. */
function mount(request: MountedRequest): { restore(): void } {
  const { url = '/', originalUrl, baseUrl = '' } = request
  if (originalUrl === undefined) return { restore: nothing }
  const rest = (whole: string): string => {
    const below = whole.slice(baseUrl.length)
    return below.startsWith('/') ? below : `/${below}`
  }
  const rewritten = rest(originalUrl) !== url
  request.url = originalUrl
  return {
    restore() {
      request.originalUrl = request.url ?? '/'
      // An application that has put another URL in its place has read the first, and keeps its own.
      request.url = rewritten ? url : rest(request.originalUrl)
    },
  }
}

function nothing(): void {
  // The URL is whole.
}
