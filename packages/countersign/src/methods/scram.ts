/**
 * SCRAM with SHA-256: both sides prove that they know the password or what was derived from it, and neither says it. As
 * `wamp-scram` and `scram-sha-256` by the specification (RFC 5802, RFC 7677), as `scram` in Autobahn's dialect.
 */
import { attempt, attempted, decoy, hash, hear, hmac, random } from '../core/ask.ts'
import type { HelloCredential } from '../core/credential.ts'
import type { Talk } from '../core/drive.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import type { Heard } from '../core/ports.ts'
import { sameText } from '../core/same-text.ts'
import { deny, type Verdict } from '../core/verdict.ts'
import { decodeBase64, encodeBase64, encodeBase64url } from '../wire/base64.ts'
import { encodeUtf8 } from '../wire/utf8.ts'
import { secretSalt, scramSources, type ScramFound, type ScramKdf, type ScramShape } from './scram-sources.ts'
import { authMessage, channelInput, escapeName, isNonce, saslPrep } from '../wire/scram-text.ts'
import { answeredBytes, decodeHex, sameBytes, xor } from './wamp-bytes.ts'
import { accounts, admit, aroundOf, lookUp, shapesOf, sourcesOf, type SourceOption } from './wamp-source.ts'

/** Options of the SCRAM method. */
export interface ScramOptions {
  /** Where the conversation opens: `wampHello()`, `challengeFrames()`, or both. */
  readonly from: From
  /** Who is asked for keys, in this order; the first who knows the name decides. @default [accounts()] */
  readonly sources?: readonly SourceOption<ScramFound, ScramShape>[]
  /** Role of those who have none. @default none: they cannot join a realm */
  readonly defaultRole?: string
}

/** A way of speaking, chosen by the name of the method on the wire. */
interface Dialect {
  /** Ways to derive whose stored keys it can check. */
  readonly kdfs: ReadonlySet<ScramKdf>
  /** What a name that nobody has is asked for where nobody is listed. */
  readonly plainShape: ScramShape
  /** Whether the answer repeats the nonce beside the proof, and the channel binding with it. */
  readonly repeats: boolean
  /** Whether names are escaped, and what stands behind `c=` is the GS2 header. */
  readonly strict: boolean
  /** Member of `authextra` that proves the server. */
  readonly verifier: string
}

const specified: Dialect = {
  kdfs: new Set<ScramKdf>(['pbkdf2', 'argon2id13']),
  plainShape: { kdf: 'pbkdf2', iterations: 4_096, memory: undefined, saltBytes: 16, ofSecret: false },
  repeats: true,
  strict: true,
  verifier: 'verifier',
}

/** Method names by what is spoken under them. */
const dialects: ReadonlyMap<string, Dialect> = new Map([
  ['wamp-scram', specified],
  ['scram-sha-256', { ...specified, repeats: false }],
  [
    'scram',
    {
      kdfs: new Set<ScramKdf>(['pbkdf2', 'argon2id-13']),
      plainShape: { kdf: 'argon2id-13', iterations: 4_096, memory: 512, saltBytes: 16, ofSecret: false },
      repeats: false,
      strict: false,
      verifier: 'scram_server_signature',
    },
  ],
])

/**
 * Accepts whoever proves to know a password, and proves in `authextra` (`verifier`, or `scram_server_signature` in the
 * dialect) that this server keeps its keys. Unknown names get a challenge like somebody's, with a salt that is always the
 * same, and are refused like wrong proofs: `invalid_credential`.
 * Channel binding: `tls-exporter` (RFC 9266); another one that is asked for is `no_matching_method`.
 * @throws MisuseError without any source
 */
export function scram(options: ScramOptions): Method {
  const sources = sourcesOf(options.sources ?? [accounts()], scramSources)
  return {
    name: 'scram',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) =>
      credential.kind === 'hello' && credential.methods.some((name) => dialects.has(name)),
    *judge(shown: Shown): Talk<Verdict> {
      const hello = shown.credential
      if (hello.kind !== 'hello') return deny('invalid_credential')
      const [method = '', dialect] = dialectOf(hello)
      const clientNonce = hello.nonce ?? hello.join?.authextra['nonce']
      const { authid } = hello
      if (dialect === undefined || authid === undefined || !isNonce(clientNonce)) {
        return deny('missing_credential')
      }
      const binding = bindingOf(hello, dialect)
      if (binding === 'unsupported') return deny('no_matching_method')
      const address = shown.handshake.remoteAddress
      // A name that may not be one belongs to nobody.
      const name = saslPrep(authid) ?? authid
      const waitMs = yield* attempt(name, address)
      if (waitMs > 0) return deny('too_many_attempts', waitMs)
      const around = aroundOf(shown, { ...hello, authid: name }, { method })
      const known = yield* lookUp(sources, around)
      const found = known !== undefined && dialect.kdfs.has(known.kdf) ? known : undefined
      const unknown = yield* decoyKeys(name, dialect, yield* shapesOf(sources))
      const keys = found ?? unknown
      const nonce = clientNonce + base64Of(yield* random(18))
      const salt = encodeBase64(keys.salt)
      const heard = yield* hear({ method, extra: challengeOf(keys, dialect, { nonce, salt }) })
      const signed = authMessage({
        name: dialect.strict ? escapeName(name) : name,
        clientNonce,
        nonce,
        salt,
        iterations: keys.iterations,
        channel: dialect.strict ? channelInput(binding) : '',
      })
      const proved = yield* isProof(keys, signed, heard.text)
      const serverSignature = yield* hmac(keys.serverKey, signed)
      const right = proved && found !== undefined && repeats(heard, dialect, { nonce, binding })
      const lateMs = yield* attempted(name, address, right)
      if (lateMs > 0) return deny('too_many_attempts', lateMs)
      if (!right) return deny('invalid_credential')
      const authextra = { [dialect.verifier]: serverSignature }
      const { defaultRole } = options
      return yield* admit(found.who, { shown, hello, method, now: heard.now, defaultRole, authextra })
    },
  }
}

/** The first name of the client's that is spoken here. */
function dialectOf({ methods }: HelloCredential): readonly [] | readonly [string, Dialect] {
  for (const name of methods) {
    const dialect = dialects.get(name)
    if (dialect !== undefined) return [name, dialect]
  }
  return []
}

interface Binding {
  readonly type: string
  readonly data: Uint8Array
}

/** The channel that the client asks to be bound to; the dialect has no way to ask. */
function bindingOf({ join }: HelloCredential, { strict }: Dialect): Binding | 'unsupported' | undefined {
  const type = join?.authextra['channel_binding']
  if (!strict || type === undefined || type === null) return undefined
  const data = type === 'tls-exporter' ? decodeHex(join?.channels['tls-exporter'], 32) : undefined
  return data === undefined ? 'unsupported' : { type: 'tls-exporter', data }
}

/** Clients of the dialect stumble over members that they do not know, and over `null`. */
function challengeOf(
  { kdf, iterations, memory }: ScramShape,
  dialect: Dialect,
  about: { readonly nonce: string; readonly salt: string },
): Readonly<Record<string, unknown>> {
  const extra = { ...about, kdf, iterations }
  if (memory === undefined && !dialect.strict) return extra
  return { ...extra, memory: memory ?? null }
}

/** Whether a proof was made with the client key behind the stored one (RFC 5802 §3). */
function* isProof(keys: Pick<ScramFound, 'storedKey'>, signed: string, shownProof: string): Talk<boolean> {
  const proof = decodeBase64(shownProof, 32) ?? new Uint8Array()
  const clientSignature = answeredBytes(yield* hmac(keys.storedKey, signed))
  const recovered = yield* hash(xor(clientSignature, proof))
  return sameText(recovered, encodeBase64url(keys.storedKey)) && proof.length === 32
}

/** Whether the answer belongs to this exchange and this channel, by its own words. The proof covers them besides. */
function repeats(
  { extra = {} }: Heard,
  dialect: Dialect,
  { nonce, binding }: { readonly nonce: string; readonly binding: Binding | undefined },
): boolean {
  const { nonce: said, channel_binding: type, cbind_data: data } = extra
  if (said === undefined ? dialect.repeats : said !== nonce) return false
  if (!dialect.repeats) return true
  if ((type ?? undefined) !== binding?.type) return false
  if (binding === undefined) return data === undefined || data === null
  const shownData = typeof data === 'string' ? decodeBase64(data, 64) : undefined
  return shownData !== undefined && sameBytes(shownData, binding.data)
}

/** For a name that nobody has: a shape like somebody's, the same each time, and keys that nobody has. */
function* decoyKeys(
  authid: string,
  { kdfs, plainShape }: Dialect,
  shapes: readonly ScramShape[],
): Talk<Omit<ScramFound, 'who'>> {
  const models = shapes.filter(({ kdf }) => kdfs.has(kdf))
  const [high = 0, low = 0] = yield* decoyBytes(`scram-shape\n${authid}`)
  const model = models[(high * 256 + low) % Math.max(1, models.length)] ?? plainShape
  const ofSecret = yield* secretSalt(authid)
  const blocks = [yield* decoyBytes(`scram-salt 1\n${authid}`), yield* decoyBytes(`scram-salt 2\n${authid}`)]
  const random = Uint8Array.from(blocks.flatMap((block) => [...block]))
  return {
    ...model,
    salt: model.ofSecret ? encodeUtf8(ofSecret) : random.subarray(0, model.saltBytes),
    storedKey: yield* decoyBytes(`scram-stored\n${authid}`),
    serverKey: yield* decoyBytes(`scram-server\n${authid}`),
  }
}

function* decoyBytes(text: string): Talk<Uint8Array> {
  return answeredBytes(yield* decoy(text))
}

/** Base64 of random bytes whose number is a multiple of three: no padding either way. */
function base64Of(base64url: string): string {
  return base64url.replaceAll('-', '+').replaceAll('_', '/')
}
