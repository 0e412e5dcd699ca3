import { hasControl, isToken, isVisible, isVisibleCode } from './ascii.ts'
import { parseAuthorization, parseBearer } from './authorization.ts'
import { absent, found, malformed, type Found } from './found.ts'
import { isJsonArray, isJsonObject, parseJson, type Json, type JsonObject } from './json.ts'

/** What a client may say first. `Guard.refresh` takes the same text for a lease that lives. */
export type FirstMessage =
  /** The token and nothing else; the server answers it with no frame of its own. */
  | { readonly kind: 'bare'; readonly token: string }
  /** A JSON object that carries a token; `form` is its `type`. */
  | { readonly kind: 'auth'; readonly token: string; readonly form: 'auth' | 'connection_init' }
  /** The beginning of a challenge-response (`countersign.challenge.v1`). */
  | {
      readonly kind: 'hello'
      readonly authid: string
      /** At least one, in the client's order of preference. */
      readonly methods: readonly string[]
      readonly nonce: string | undefined
    }

/** The answer to a challenge (`countersign.challenge.v1`). */
export interface Authenticate {
  readonly signature: string
  /** Empty when the client sent none. */
  readonly extra: JsonObject
}

/** Longest `authid`, in characters. */
export const maxAuthidLength = 1_024

/** Most `methods` in one hello. */
export const maxMethods = 16

/** Deepest nesting in a message before acceptance. */
const maxDepth = 8

const noExtra: JsonObject = Object.freeze(Object.create(null))

/** The members that may hold a token, as clients of different families write them. */
const tokenMembers = ['token', 'access_token', 'ticket'] as const
const payloadMembers = [...tokenMembers, 'authToken'] as const
const headerMembers = ['Authorization', 'authorization'] as const

/**
 * Reads the first text message of a socket: a bare token (visible ASCII on one line), or a JSON object when
 * it begins with `{`: `{"type":"auth","token":…}`, `{"type":"connection_init","payload":{…}}` or
 * `{"type":"hello",…}`. Token members that do not agree are malformed. A message that could carry a token and
 * does not is absent.
 *
 * @param maxBytes longest message, in bytes of UTF-8
 */
export function parseFirstMessage(text: string, maxBytes: number): Found<FirstMessage> {
  if (text === '') return absent
  if (!text.startsWith('{')) return readBare(text, maxBytes)
  const plain = text.length > maxBytes ? undefined : plainToken(text)
  if (plain !== undefined) return found({ kind: 'auth', token: plain, form: 'auth' })
  const message = readObject(text, maxBytes)
  if (message.kind !== 'found') return message
  const { type } = message.value
  const read = typeof type === 'string' ? readers.get(type) : undefined
  return read === undefined ? malformed('message type') : read(message.value)
}

/** The message of nearly every client, to the letter: no blanks, one token, no escapes. */
const plainStart = '{"type":"auth","token":"'
const plainEnd = '"}'

/** The token of such a message, which JSON would find as well; `undefined`: it is to be read as JSON. */
function plainToken(text: string): string | undefined {
  if (!text.startsWith(plainStart) || !text.endsWith(plainEnd)) return undefined
  const end = text.length - plainEnd.length
  for (let at = plainStart.length; at < end; at++) if (!isPlainCode(text.charCodeAt(at))) return undefined
  return end > plainStart.length ? text.slice(plainStart.length, end) : undefined
}

/** Visible ASCII that stands for itself in a JSON string. */
function isPlainCode(code: number): boolean {
  return isVisibleCode(code) && code !== 0x22 && code !== 0x5c
}

const readers: ReadonlyMap<string, (message: JsonObject) => Found<FirstMessage>> = new Map([
  ['auth', (message) => asAuth(findToken(message, tokenMembers), 'auth')],
  ['connection_init', ({ payload }) => asAuth(readPayload(payload), 'connection_init')],
  ['hello', readHello],
])

/**
 * Reads `{"type":"authenticate","signature":…,"extra":{…}}`.
 *
 * @param maxBytes longest message, in bytes of UTF-8
 */
export function parseAuthenticate(text: string, maxBytes: number): Found<Authenticate> {
  const message = readObject(text, maxBytes)
  if (message.kind !== 'found') return message
  const { type, signature, extra = noExtra } = message.value
  if (type !== 'authenticate') return malformed('message type')
  if (signature === undefined || signature === '') return absent
  if (typeof signature !== 'string' || !isVisible(signature)) return malformed('signature')
  return isJsonObject(extra) ? found({ signature, extra }) : malformed('extra')
}

/** Anything that fits one line of visible ASCII: what a token is made of is the method's business. */
function readBare(text: string, maxBytes: number): Found<FirstMessage> {
  if (text.length > maxBytes) return malformed('token too long')
  return isVisible(text) ? found({ kind: 'bare', token: text }) : malformed('token characters')
}

function readObject(text: string, maxBytes: number): Found<JsonObject> {
  const json = parseJson(text, { maxBytes, maxDepth })
  if (json.kind !== 'found') return json
  return isJsonObject(json.value) ? found(json.value) : malformed('message is no object')
}

function asAuth(token: Found<string>, form: 'auth' | 'connection_init'): Found<FirstMessage> {
  return token.kind === 'found' ? found({ kind: 'auth', token: token.value, form }) : token
}

/** The one token that these members agree on. */
function findToken(object: JsonObject, members: readonly string[]): Found<string> {
  return agree(members.map((member) => readToken(object[member])))
}

/** `payload` is optional in graphql-ws and subscriptions-transport-ws; `null` stands for none. */
function readPayload(payload: Json | undefined): Found<string> {
  if (payload === undefined || payload === null) return absent
  if (!isJsonObject(payload)) return malformed('payload')
  const headers = headerMembers.map((member) => readHeader(payload[member]))
  return agree([findToken(payload, payloadMembers), ...headers])
}

function readToken(value: Json | undefined): Found<string> {
  if (value === undefined || value === null || value === '') return absent
  return typeof value === 'string' && isVisible(value) ? found(value) : malformed('token characters')
}

function readHeader(value: Json | undefined): Found<string> {
  if (value === undefined || value === null) return absent
  const authorization = typeof value === 'string' ? parseAuthorization(value) : malformed('authorization')
  if (authorization.kind !== 'found') return authorization
  const { scheme, rest } = authorization.value
  return scheme === 'bearer' ? parseBearer(rest) : malformed('authorization scheme')
}

/**
 * The one token that was shown, once or often. One bad token spoils the message: it is not for us to choose.
 */
function agree(shown: readonly Found<string>[]): Found<string> {
  let agreed: Found<string> = absent
  for (const one of shown) {
    if (one.kind === 'malformed') return one
    if (one.kind === 'absent') continue
    if (agreed.kind === 'found' && agreed.value !== one.value) return malformed('tokens disagree')
    agreed = one
  }
  return agreed
}

/** A hello is never absent: it promises no secret, and without a name it is merely wrong. */
function readHello(message: JsonObject): Found<FirstMessage> {
  const { authid, methods, nonce } = message
  if (typeof authid !== 'string' || authid === '' || authid.length > maxAuthidLength || hasControl(authid)) {
    return malformed('authid')
  }
  if (!isJsonArray(methods) || methods.length === 0 || methods.length > maxMethods)
    return malformed('methods')
  const names = methods.filter(isMethodName)
  if (names.length !== methods.length) return malformed('methods')
  if (nonce === undefined) return found({ kind: 'hello', authid, methods: names, nonce })
  if (typeof nonce !== 'string' || nonce.length > 256 || !isVisible(nonce)) return malformed('nonce')
  return found({ kind: 'hello', authid, methods: names, nonce })
}

function isMethodName(value: Json): value is string {
  return typeof value === 'string' && value.length <= 64 && isToken(value)
}
