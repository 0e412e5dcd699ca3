/** Finds the credential of a connection attempt: explicit before ambient, never two that disagree. */
import {
  nothingHidden,
  type HandshakeCarrier,
  type HelloCarrier,
  type Hiding,
  type MessageCarrier,
  type Search,
} from './carrier.ts'
import { agree, type Credential } from './credential.ts'
import { MisuseError } from './errors.ts'
import type { Handshake } from './handshake.ts'
import type { Method } from './method.ts'
import type { Reason } from './reasons.ts'

/** A place and the methods that take credentials from it, in the order of the `accept` list. */
export interface Place<C> {
  readonly carrier: C
  readonly methods: readonly Method[]
}

/** Every place of a guard, each once. */
export interface Places {
  readonly explicit: readonly Place<HandshakeCarrier>[]
  readonly ambient: readonly Place<HandshakeCarrier>[]
  readonly message: readonly Place<MessageCarrier>[]
  readonly hello: readonly Place<HelloCarrier>[]
  /** What adapters hide, used or not: a secret in the wrong place is a secret still. */
  readonly hiding: Hiding
}

/** What was found. */
export type Finding =
  | { readonly kind: 'credential'; readonly credential: Credential; readonly place: Place<HandshakeCarrier> }
  | { readonly kind: 'refused'; readonly reason: Reason }
  | { readonly kind: 'none' }

const none: Finding = { kind: 'none' }

/** Sorts the carriers of all methods. @throws MisuseError when nothing is accepted at all */
export function placesOfMethods(methods: readonly Method[]): Places {
  if (methods.length === 0) throw new MisuseError('invalid_option', 'accept: at least one method is needed')
  const handshake = new Map<string, Place<HandshakeCarrier> & { methods: Method[] }>()
  const message = new Map<string, Place<MessageCarrier> & { methods: Method[] }>()
  const hello = new Map<string, Place<HelloCarrier> & { methods: Method[] }>()
  let hiding = nothingHidden
  for (const method of methods) {
    for (const carrier of method.from) {
      if (carrier.kind === 'message') put(message, carrier, method)
      else if (carrier.kind === 'hello') put(hello, carrier, method)
      else {
        put(handshake, carrier, method)
        hiding = union(hiding, carrier.hides)
      }
    }
    if (method.csrf !== undefined) hiding = union(hiding, method.csrf.hides)
  }
  const all = [...handshake.values()]
  return {
    explicit: all.filter((place) => !place.carrier.ambient),
    ambient: all.filter((place) => place.carrier.ambient),
    message: [...message.values()],
    hello: [...hello.values()],
    hiding,
  }
}

/**
 * Looks into every explicit place, then, only if they are empty, into the ambient ones. Two explicit credentials that
 * say different things are refused (RFC 6750 §2 for bearer tokens); the first ambient one in order is taken.
 */
export function findCredential(places: Places, handshake: Handshake): Finding {
  const explicit = findExplicit(places, handshake)
  if (explicit.kind !== 'none') return explicit
  for (const place of places.ambient) {
    const search = place.carrier.find(handshake)
    if (search.kind !== 'absent') return judgeSearch(search, place, handshake)
  }
  return none
}

/** As `findCredential`, without what clients attach unasked. */
export function findExplicit(places: Places, handshake: Handshake): Finding {
  let chosen: Finding = none
  for (const place of places.explicit) {
    const search = place.carrier.find(handshake)
    if (search.kind === 'absent') continue
    const finding = judgeSearch(search, place, handshake)
    if (finding.kind !== 'credential') return finding
    if (chosen.kind !== 'credential') chosen = finding
    else if (!agree(chosen.credential, finding.credential))
      return { kind: 'refused', reason: 'protocol_violation' }
  }
  return chosen
}

/**
 * What a place shows is this attempt's credential, or the reason to refuse it. Ambient ones need an Origin:
 * without it nobody can say whose page asked.
 */
function judgeSearch(
  search: Search<Credential>,
  place: Place<HandshakeCarrier>,
  handshake: Handshake,
): Finding {
  if (search.kind !== 'found') return { kind: 'refused', reason: 'invalid_credential' }
  if (handshake.origin === undefined && place.carrier.absentOrigin === 'refuse') {
    return { kind: 'refused', reason: 'forbidden_origin' }
  }
  return { kind: 'credential', credential: search.value, place }
}

/** Carriers of one key are one place; its methods stand in the order of `accept`. */
function put<C extends { readonly key: string }>(
  map: Map<string, Place<C> & { methods: Method[] }>,
  carrier: C,
  method: Method,
): void {
  const place = map.get(carrier.key)
  if (place === undefined) map.set(carrier.key, { carrier, methods: [method] })
  else place.methods.push(method)
}

function union(one: Hiding, other: Hiding): Hiding {
  return {
    query: [...new Set([...one.query, ...other.query])],
    paths: [...new Set([...one.paths, ...other.paths])],
    cookies: [...new Set([...one.cookies, ...other.cookies])],
    headers: [...new Set([...one.headers, ...other.headers])],
    subprotocols: one.subprotocols || other.subprotocols,
  }
}
