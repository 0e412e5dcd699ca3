/** A key set that its issuer publishes over HTTPS: fetched rarely, one fetch at a time, kept through outages. */
import { MisuseError, OutageError } from '../core/errors.ts'
import { decodeUtf8 } from '../wire/utf8.ts'
import { parseKeySet, type KeySet } from './jwt-jwk.ts'
import type { PublicKeySource } from './jwt-keys.ts'

/** Fetches a document. The runtime's own `fetch` is one. Must end when `init.signal` is aborted. */
export type JwksFetch = (url: string, init: RequestInit) => Promise<Response>

/** Options of a remote key set. */
export interface JwksOptions {
  /**
   * Where the set is published: `https:`, or `http:` on a loopback host; no user information. Nothing that a token
   * says (`jku`, `x5u`, `iss`) ever changes it.
   */
  readonly url: string
  /** @default the runtime's `fetch` */
  readonly fetch?: JwksFetch
  /** How long a fetched set is used without asking again, ms. Six times as long while fetches fail. @default 600_000 */
  readonly cacheMs?: number
  /** Least time between two fetches, ms, however many unknown `kid`s are shown. @default 30_000 */
  readonly cooldownMs?: number
  /** Longest fetch, ms. @default 5_000 */
  readonly timeoutMs?: number
  /** Largest document, bytes. @default 262_144 */
  readonly maxBytes?: number
}

type Settings = Required<JwksOptions>

/** A set as it was fetched. */
interface Loaded {
  /** The document, to tell whether the next one differs. */
  readonly text: string
  readonly keys: KeySet
  /** Counts the documents that differed from the one before. */
  readonly generation: number
  /** When it was last fetched. */
  readonly atMs: number
}

/** What an option left out means. `fetch` is looked up at each call, so that a later replacement counts. */
const defaults: Omit<Settings, 'url'> = Object.freeze({
  fetch: (url: string, init: RequestInit) => fetch(url, init),
  cacheMs: 600_000,
  cooldownMs: 30_000,
  timeoutMs: 5_000,
  maxBytes: 262_144,
})

/** How many times `cacheMs` a set outlives its last successful fetch. */
const outageFactor = 6

/**
 * Keys of an issuer, fetched when first needed, when they are old, and when a token names one that is not among them.
 * Redirects are refused. A token whose key cannot be looked for because nothing was ever fetched is an outage, not a
 * refusal.
 *
 * @throws MisuseError when the URL or a limit is not allowed
 */
export function jwks(options: JwksOptions): PublicKeySource {
  const settings = checked({ ...defaults, ...options })
  const { cacheMs, cooldownMs } = settings
  let loaded: Loaded | undefined
  let triedAtMs = -Infinity
  let flight: Promise<void> | undefined
  let failure: unknown

  const isFresh = (set: Loaded, now: number): boolean => elapsed(set.atMs, now) < cacheMs
  // Never rejects: what went wrong is told by whoever then finds no usable keys.
  const load = async (now: number): Promise<void> => {
    try {
      loaded = replaced(loaded, await fetchText(settings), { now, maxBytes: settings.maxBytes })
    } catch (error) {
      failure = error
    } finally {
      flight = undefined
    }
  }
  // One fetch at a time, whoever asks; the cooldown is measured from its beginning.
  const refresh = (now: number): Promise<void> => {
    if (flight !== undefined) return flight
    triedAtMs = now
    flight = load(now)
    return flight
  }
  // The keys at hand, old ones included as long as the issuer's outage is bearable.
  const usable = (now: number): KeySet => {
    if (loaded !== undefined && elapsed(loaded.atMs, now) < cacheMs * outageFactor) return loaded.keys
    throw new OutageError('keys_unavailable', `jwks: nothing from ${new URL(settings.url).host}`, {
      cause: failure,
    })
  }

  return {
    kind: 'public',
    find(wanted, now) {
      const key = loaded !== undefined && isFresh(loaded, now) ? loaded.keys.find(wanted) : undefined
      if (key !== undefined) return key
      if (flight === undefined && elapsed(triedAtMs, now) < cooldownMs) return usable(now).find(wanted)
      return refresh(now).then(() => usable(now).find(wanted))
    },
    generation: (now) => (loaded !== undefined && isFresh(loaded, now) ? loaded.generation : undefined),
  }
}

/** The set after a fetch. An unchanged document keeps its imported keys and its generation. */
function replaced(
  before: Loaded | undefined,
  text: string,
  { now, maxBytes }: { readonly now: number; readonly maxBytes: number },
): Loaded {
  if (before?.text === text) return { ...before, atMs: now }
  const keys = parseKeySet(text, maxBytes)
  if (keys === undefined) throw new TypeError('the document is no JSON Web Key Set')
  return { text, keys, generation: (before?.generation ?? 0) + 1, atMs: now }
}

/** The document. Rejects for anything but a plain 200 within time and size. */
async function fetchText({ url, fetch, timeoutMs, maxBytes }: Settings): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    credentials: 'omit',
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (response.status !== 200 || response.redirected) {
    await response.body?.cancel()
    throw new TypeError(`status ${String(response.status)}`)
  }
  const text = decodeUtf8(await readBody(response, maxBytes))
  if (text === undefined) throw new TypeError('the document is not UTF-8')
  return text
}

/** The body, read no further than `maxBytes`: leaving the loop cancels the rest. */
async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const body = new Uint8Array(maxBytes)
  let length = 0
  for await (const chunk of response.body ?? []) {
    if (length + chunk.length > maxBytes) throw new TypeError('the document is too long')
    body.set(chunk, length)
    length += chunk.length
  }
  return body.subarray(0, length)
}

/** A clock that was set back counts as much time gone by: nothing is kept, or put off, until it catches up. */
function elapsed(sinceMs: number, now: number): number {
  return Math.abs(now - sinceMs)
}

/** Bounds are checked when the program starts, not when the issuer is out of reach. */
function checked(settings: Settings): Settings {
  if (!isAllowedUrl(settings.url)) {
    throw new MisuseError(
      'invalid_option',
      'jwks: url must be https, or http on a loopback host, without user information',
    )
  }
  for (const name of ['cacheMs', 'cooldownMs', 'timeoutMs', 'maxBytes'] as const) {
    const value = settings[name]
    if (!Number.isSafeInteger(value) || value < 1 || value > 0x7fff_ffff) {
      throw new MisuseError('invalid_option', `jwks: ${name} must be a positive integer`)
    }
  }
  return settings
}

/** RFC 8725 §3.10 by way of configuration: keys come over an authenticated channel, or never leave the machine. */
function isAllowedUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

/** The URL parser has already written every spelling of an IPv4 address in four decimal parts. */
function isLoopback(hostname: string): boolean {
  return /^(?:localhost|[a-z0-9.-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}
