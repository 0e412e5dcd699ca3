/** Lays a credential where a guard looks for one: how a lease is refreshed by HTTP, and how a single-use URL is made. */
import type { Credential, Guard, Handshake } from 'countersign'

/** A request that brings a credential for another connection. */
export interface Presentation {
  /**
   * As its holder would show it at the door; at one that wants a token beside its cookie, that token. `undefined`: the
   * cookie alone, which came with the request. Secret.
   */
  readonly credential: string | undefined
  /** A cookie of the request itself. */
  readonly cookie: (name: string) => string | undefined
  /** Name of the method that shall judge it: the one that granted the lease. */
  readonly method: string
  readonly host: string
  readonly origin: string | undefined
  readonly remoteAddress: string
  readonly secure: boolean
}

type Filled = Partial<Pick<Handshake, 'target' | 'cookie' | 'authorization' | 'subprotocol'>>

/** By the first word of a carrier's key: how the part of a handshake that it reads is written. */
const writers: Readonly<Record<string, (credential: string, detail: string) => Filled>> = {
  query: (credential, names) => ({
    target: `/?${new URLSearchParams([[first(names), credential]]).toString()}`,
  }),
  cookie: (credential, name) => ({ cookie: `${name}=${credential}` }),
  'authorization:bearer': (credential) => ({ authorization: `Bearer ${credential}` }),
  'authorization:basic': (credential) => ({ authorization: `Basic ${base64(userinfo(credential))}` }),
  subprotocol: (credential) => ({ subprotocol: `countersign.v1, countersign.bearer.${credential}` }),
}

/** What `Guard.refresh` is given. */
export interface Presented {
  readonly handshake: Handshake
  /** The credential as a first message, where no place of a handshake takes it. */
  readonly message: string | undefined
}

/** Shows the credential at the first place of the guard where the method looks for such a one, else as first message. */
export function presentTo(guard: Guard, shown: Presentation): Presented {
  for (const place of [...guard.places.explicit, ...guard.places.ambient]) {
    const filled = fill(place, shown)
    if (filled !== undefined)
      return { handshake: { ...emptyHandshake(shown), ...filled }, message: undefined }
  }
  return { handshake: emptyHandshake(shown), message: shown.credential }
}

/** What a place reads, filled in; `undefined` where the method does not look there for what was shown. */
function fill(
  { carrier, methods }: Guard['places']['explicit'][number],
  shown: Presentation,
): Filled | undefined {
  const writer = writerOf(carrier.key)
  const method = methods.find(({ name }) => name === shown.method)
  if (writer === undefined || method === undefined) return undefined
  const { csrf } = method
  const byCookie = csrf !== undefined || shown.credential === undefined
  const credential = byCookie ? cookieOf(carrier.key, shown) : shown.credential
  if (credential === undefined || !method.recognises(credentialsOf(carrier.key, credential))) return undefined
  const proof = csrf === undefined || shown.credential === undefined ? undefined : writerOf(csrf.key)
  return { ...writer(credential), ...proof?.(shown.credential ?? '') }
}

/** The cookie that a place reads, as the request itself has it. */
function cookieOf(key: string, { cookie }: Presentation): string | undefined {
  return key.startsWith('cookie:') ? cookie(key.slice('cookie:'.length)) : undefined
}

/** The query parameter in which a guard takes tickets; `undefined` when it takes none there. */
export function queryNameOf(guard: Guard): string | undefined {
  const place = guard.places.explicit.find(({ carrier }) => carrier.key.startsWith('query:'))
  return place === undefined ? undefined : first(place.carrier.key.slice('query:'.length))
}

function writerOf(key: string): ((credential: string) => Filled) | undefined {
  const whole = writers[key]
  if (whole !== undefined) return (credential) => whole(credential, '')
  const colon = key.indexOf(':')
  const partial = writers[key.slice(0, colon)]
  return partial === undefined ? undefined : (credential) => partial(credential, key.slice(colon + 1))
}

/** The credential as the carrier would find it. */
function credentialsOf(key: string, text: string): Credential {
  if (key !== 'authorization:basic') return { kind: 'token', text, form: 'bare' }
  const [username = '', ...password] = userinfo(text).split(':')
  return { kind: 'basic', username, password: password.join(':') }
}

/**
 * What a request over HTTP says about the connection that the credential is for: everything but a
 * credential.
 */
function emptyHandshake(shown: Presentation): Handshake {
  return {
    target: '/',
    host: shown.host,
    origin: shown.origin,
    cookie: undefined,
    authorization: undefined,
    subprotocol: undefined,
    remoteAddress: shown.remoteAddress,
    secure: shown.secure,
    certificate: undefined,
  }
}

/** `user:password` as it is; a token is a user name with an empty password. */
function userinfo(credential: string): string {
  return credential.includes(':') ? credential : `${credential}:`
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

function first(names: string): string {
  return names.split(',')[0] ?? names
}
