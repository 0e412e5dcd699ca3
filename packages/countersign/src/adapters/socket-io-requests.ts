/** Every HTTP request of Engine.IO, polling and upgrades alike, before Engine.IO reads it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { Refused } from '../core/knock.ts'
import type { Reason } from '../core/reasons.ts'
import { handshakeOf, type HandshakeSources } from './handshake.ts'
import { hide } from './hide.ts'
import { hidingOf, type UpgradeOptions } from './http.ts'
import { trustProxies } from './proxies.ts'
import { answerHttp, httpRefusal } from './refuse.ts'
import type { Visit } from './socket-io-visit.ts'

/** Parameters that are Engine.IO's own: a carrier that looked there would hide them from it. */
export const engineParameters: readonly string[] = ['EIO', 'transport', 'sid', 't', 'j', 'b64']

type Next = (error?: unknown) => void

/** Where a request that may open a transport keeps what was found of it. */
const opening: unique symbol = Symbol('countersign.opening')

interface OpeningRequest extends IncomingMessage {
  [opening]?: Opening
}

/** Private members: whoever prints the request does not print what was hidden from it. */
class Opening {
  readonly #by: Requests
  readonly #handshake: Handshake

  constructor(by: Requests, handshake: Handshake) {
    this.#by = by
    this.#handshake = handshake
  }

  /** `undefined`: another server's guard let it pass. */
  handshakeFor(requests: Requests): Handshake | undefined {
    return this.#by === requests ? this.#handshake : undefined
  }
}

/** The requests of one server. */
export class Requests {
  readonly #guard: Guard
  readonly #sources: HandshakeSources
  readonly #hiding: Guard['hiding']
  readonly #visits: ReadonlyMap<string, Visit>

  /** @param visits open transports by Engine.IO's session id */
  constructor(
    guards: readonly [Guard, ...Guard[]],
    visits: ReadonlyMap<string, Visit>,
    options: UpgradeOptions,
  ) {
    const [guard] = guards
    this.#guard = guard
    this.#visits = visits
    this.#sources = {
      trust: options.proxies === undefined ? undefined : trustProxies(options.proxies),
      certificates: guards.some(({ places }) => places.ambient.some(({ carrier }) => carrier.key === 'tls')),
    }
    this.#hiding = guards.map((one) => hidingOf(one, options)).reduce(both)
  }

  /** For `io.engine.use`: host, Origin and rate at every request, then the credentials are hidden from everyone behind. */
  readonly judge = (
    request: OpeningRequest,
    response: ServerResponse | { readonly headersSent?: undefined },
    next: Next,
  ): void => {
    const handshake = handshakeOf(request, this.#sources)
    const parameters = parametersOf(request)
    this.#hide(request, parameters)
    if (typeof handshake === 'string') {
      this.#refuse(request, response, plain(handshake))
      return
    }
    const visit = this.#visits.get(String(parameters['sid']))
    const refused = this.#guard.greet(handshake) ?? this.#misfit(request, { handshake, parameters, visit })
    // A poll may still fetch the last words.
    const fetches = refused?.reason === 'shutting_down' && visit?.over === true && !carriesPackets(request)
    if (refused !== undefined && !fetches) {
      this.#refuse(request, response, refused)
      return
    }
    if (visit === undefined) request[opening] = new Opening(this, handshake)
    else if (request.method === 'POST') visit.handshake = handshake
    next()
  }

  /** Facts of the request that opened a transport; `undefined`: it did not pass here. */
  opening(request: OpeningRequest): Handshake | undefined {
    return request[opening]?.handshakeFor(this)
  }

  /** What is wrong with a request beside its credentials. */
  #misfit(
    request: IncomingMessage,
    { handshake, parameters, visit }: { handshake: Handshake; parameters: object; visit: Visit | undefined },
  ): Refused | undefined {
    // JSONP lets any page read the answer by a script, without an Origin. No client of protocol 4 asks for it.
    const reason =
      'j' in parameters ? 'protocol_violation' : visit && this.#misfitOf(visit, request, handshake.origin)
    return reason === undefined ? undefined : this.#guard.refusal(handshake, reason)
  }

  /** What is wrong with a request on a transport that is open. */
  #misfitOf(visit: Visit, request: IncomingMessage, from: string | undefined): Reason | undefined {
    const { origin } = visit.handshake
    if (origin !== undefined && from !== undefined && origin !== from) return 'forbidden_origin'
    if (visit.waits && request.method === 'POST') {
      const bytes = Number(request.headers['content-length'] ?? NaN)
      if (!(bytes <= this.#guard.limits.maxBytes)) return 'message_too_big'
    }
    return visit.passes() || !carriesPackets(request) ? undefined : 'protocol_violation'
  }

  #hide(request: IncomingMessage, parameters: Record<string, unknown>): void {
    hide(request, this.#hiding)
    // Engine.IO has read the query already, and hands it to applications as `handshake.query`.
    for (const name of this.#hiding.query) delete parameters[name]
  }

  #refuse(
    request: IncomingMessage,
    response: ServerResponse | { readonly headersSent?: undefined },
    refused: Refused,
  ): void {
    const answer = httpRefusal(this.#guard, refused)
    if (response.headersSent === undefined) {
      answerHttp(request.socket, answer, this.#guard.limits.lingerMs)
      return
    }
    if (response.headersSent) return
    const { status, headers, body } = answer
    const fields = { ...headers, 'Cache-Control': 'no-store', 'Content-Type': 'text/plain; charset=utf-8' }
    // What is still to come of a refused body is not read.
    if (request.method === 'POST') response.writeHead(status, { ...fields, Connection: 'close' }).end(body)
    else response.writeHead(status, fields).end(body)
  }
}

/** Packets travel in the bodies of POST requests and, after an upgrade, over the WebSocket. */
function carriesPackets(request: IncomingMessage): boolean {
  return request.method === 'POST' || request.headers.upgrade !== undefined
}

/** Engine.IO keeps the parsed query beside the request, and reads nothing else. */
function parametersOf(request: IncomingMessage): Record<string, unknown> {
  const parsed: unknown = Reflect.get(request, '_query')
  // An object made of the query's entries, or none yet.
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
}

function both(one: Guard['hiding'], other: Guard['hiding']): Guard['hiding'] {
  return {
    query: [...one.query, ...other.query],
    paths: [...one.paths, ...other.paths],
    cookies: [...one.cookies, ...other.cookies],
    headers: [...one.headers, ...other.headers],
    subprotocols: one.subprotocols || other.subprotocols,
  }
}

/** A refusal that no guard was asked for. */
function plain(reason: Reason): Refused {
  return { kind: 'refused', reason, retryAfterMs: undefined, tell: 'http', reply: 'bare' }
}
