/** Cookies that outlive the process: a file of JSON lines that only grows while it runs, and is rewritten at the start. */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { MisuseError, type Grant, type Hash, type Principal } from 'countersign'
import type { CookieStore, Remembered } from 'countersign/methods'
import { isJsonObject, parseJson, type JsonObject } from 'countersign/wire'

/** An identity, and on what entries of the configuration it rests. */
export interface KeptIdentity extends Remembered {
  /** Fingerprint of those entries, as of the day on which it was remembered; see `standingOf`. */
  readonly standing: string
}

/** Options of the store. */
export interface CookieFileOptions {
  /** How long a cookie stands for anybody, ms. */
  readonly maxAgeMs: number
  /** Whether whatever the file holds is forgotten first. */
  readonly purge: boolean
  readonly now: number
}

/** Cookies that are kept; beyond that the oldest is forgotten. */
const maxEntries = 100_000
/** Larger than a full file with as many dead lines again. */
const maxFileBytes = 268_435_456
const maxLineBytes = 65_536
/** Dead lines that are borne before the file is rewritten. */
const maxDead = 10_000

interface Entry {
  readonly identity: KeptIdentity
  readonly endsAtMs: number
}

/**
 * Opens the file, owner-only, and makes it where there is none. It holds hashes of cookies, never their values; lines that
 * are not its own (those of Crossbar.io hold the values) are dropped.
 * @throws MisuseError when it cannot be opened or is larger than 256 MiB
 */
export function cookieFile(file: string, options: CookieFileOptions): CookieStore {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    return new FileCookies(file, options)
  } catch (error) {
    if (error instanceof MisuseError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new MisuseError('invalid_option', `${file}: cookies cannot be kept there (${code})`)
  }
}

class FileCookies implements CookieStore {
  readonly #file: string
  readonly #maxAgeMs: number
  readonly #kept: Map<string, Entry>
  #handle: number
  #lines = 0

  constructor(file: string, { maxAgeMs, purge, now }: CookieFileOptions) {
    this.#file = file
    this.#maxAgeMs = maxAgeMs
    this.#kept = purge ? new Map() : load(file, now)
    this.#handle = this.#rewrite()
  }

  remember(cookie: Hash, identity: Remembered, now: number): void {
    const standing = 'standing' in identity && typeof identity.standing === 'string' ? identity.standing : ''
    const endsAtMs = Math.min(identity.untilMs, now + this.#maxAgeMs)
    const entry = { identity: { ...identity, standing }, endsAtMs }
    this.#kept.delete(cookie)
    this.#kept.set(cookie, entry)
    this.#append(lineOf(cookie, entry))
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxEntries) break
      this.#drop(oldest)
    }
  }

  find(cookie: Hash, now: number): KeptIdentity | undefined {
    const entry = this.#kept.get(cookie)
    if (entry === undefined || entry.endsAtMs > now) return entry?.identity
    this.#drop(cookie)
    return undefined
  }

  forget(cookie: Hash): void {
    if (this.#kept.has(cookie)) this.#drop(cookie)
  }

  /** One write for all of them. */
  forgetWhere(who: (identity: Remembered) => boolean): void {
    const gone = [...this.#kept].filter(([, { identity }]) => who(identity)).map(([cookie]) => cookie)
    for (const cookie of gone) this.#kept.delete(cookie)
    if (gone.length > 0) this.#append(gone.map(goneLine).join(''), gone.length)
  }

  #drop(cookie: string): void {
    this.#kept.delete(cookie)
    this.#append(goneLine(cookie))
  }

  #append(text: string, lines = 1): void {
    writeSync(this.#handle, text)
    this.#lines += lines
    if (this.#lines <= this.#kept.size + maxDead) return
    closeSync(this.#handle)
    this.#handle = this.#rewrite()
  }

  /** Written aside and put into place: a crash leaves the old file or the new one. */
  #rewrite(): number {
    const aside = `${this.#file}.new`
    const handle = openSync(aside, 'w', 0o600)
    chmodSync(aside, 0o600)
    for (const [cookie, entry] of this.#kept) writeSync(handle, lineOf(cookie, entry))
    renameSync(aside, this.#file)
    this.#lines = this.#kept.size
    return handle
  }
}

function goneLine(cookie: string): string {
  return `${JSON.stringify({ cookie, gone: true })}\n`
}

/** `Infinity` is no number of JSON: it is left out. */
function lineOf(cookie: string, { identity, endsAtMs }: Entry): string {
  const { untilMs, ...rest } = identity
  const until = untilMs === Infinity ? {} : { untilMs }
  return `${JSON.stringify({ cookie, endsAtMs, identity: { ...rest, ...until } })}\n`
}

/** The last line of a cookie counts. */
function load(file: string, now: number): Map<string, Entry> {
  const kept = new Map<string, Entry>()
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > maxFileBytes)
    throw new MisuseError('invalid_option', `${file}: is too large for a file of cookies`)
  const text = size === 0 ? '' : readFileSync(file, 'utf8')
  for (const line of text.split('\n')) {
    const parsed = parseJson(line, { maxBytes: maxLineBytes, maxDepth: 16 })
    if (parsed.kind !== 'found' || !isJsonObject(parsed.value)) continue
    const { cookie } = parsed.value
    if (typeof cookie !== 'string') continue
    kept.delete(cookie)
    const entry = entryOf(parsed.value)
    if (entry !== undefined && entry.endsAtMs > now) kept.set(cookie, entry)
  }
  return kept
}

/** What this store has written; of anything else nothing. */
function entryOf({ endsAtMs, identity }: JsonObject): Entry | undefined {
  if (typeof endsAtMs !== 'number' || !isJsonObject(identity)) return undefined
  const { principal, grant, realm, untilMs = Infinity, standing } = identity
  if (!isPrincipal(principal) || !isGrant(grant)) return undefined
  if (typeof realm !== 'string' || typeof untilMs !== 'number' || typeof standing !== 'string')
    return undefined
  return {
    endsAtMs,
    identity: { principal: wholePrincipal(principal), grant: wholeGrant(grant), realm, untilMs, standing },
  }
}

/** Members that were `undefined` are not in the file. */
function wholePrincipal(principal: Principal): Principal {
  return { ...principal, realm: principal.realm }
}

function wholeGrant(grant: Grant): Grant {
  const { session, token, apiKey, certificate, serial, issuer } = grant
  return { ...grant, session, token, apiKey, certificate, serial, issuer }
}

function isPrincipal(value: unknown): value is Principal {
  if (typeof value !== 'object' || value === null) return false
  const texts = ['id', 'method', 'provider'].every((name) => typeof Reflect.get(value, name) === 'string')
  const claims: unknown = Reflect.get(value, 'claims')
  return texts && areTexts(Reflect.get(value, 'roles')) && typeof claims === 'object' && claims !== null
}

function isGrant(value: unknown): value is Grant {
  if (typeof value !== 'object' || value === null) return false
  const { subject, issuedAtMs, roles }: { subject?: unknown; issuedAtMs?: unknown; roles?: unknown } = value
  return typeof subject === 'string' && typeof issuedAtMs === 'number' && areTexts(roles)
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
