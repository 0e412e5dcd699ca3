/** Principals of cryptosign: whose private keys are behind which public ones. */
import { findAccount, findPublicKey, listPublicKeys } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import { normaliseUsername } from './password.ts'
import { normalisePublicKey } from './public-key.ts'
import { dictOf, whoOf, type Answered } from './wamp-answer.ts'
import { listed, type PrincipalSource, type SourceMaker } from './wamp-source.ts'
import { accountWho, staticWho, type Who } from './wamp-who.ts'

/** Somebody who holds private keys. */
export interface CryptosignFound {
  readonly who: Who
  /** Public keys, 64 lower-case hex digits each. */
  readonly keys: readonly string[]
}

/** A principal as configurations write it. */
export interface CryptosignPrincipal {
  /** Ed25519 public keys, 64 hex digits each. */
  readonly authorized_keys: readonly string[]
  readonly role?: string
  /** Realm that the session is sent to. @default the one that it asks for */
  readonly realm?: string
  /** The name that the session gets. @default the one under which the principal is listed */
  readonly authid?: string
}

/**
 * Principals of a configuration, by the name that they log in with. Whoever names nobody is known by the key, unless two
 * principals share it.
 * @throws MisuseError for a key that is none, and for a principal without any
 */
export function cryptosignPrincipals(
  principals: Readonly<Record<string, CryptosignPrincipal>>,
): PrincipalSource<CryptosignFound, never> {
  const byName = new Map<string, CryptosignFound>()
  const byKey = new Map<string, CryptosignFound | 'shared'>()
  for (const [name, { authorized_keys, role, realm, authid = name }] of Object.entries(principals)) {
    const who = { ...staticWho(authid, role), realm }
    const found = { who, keys: keysOf(authorized_keys) }
    byName.set(name, found)
    for (const key of new Set(found.keys)) byKey.set(key, byKey.has(key) ? 'shared' : found)
  }
  return listed(({ question: { authid, details } }) => {
    if (authid !== undefined) return byName.get(authid)
    const found = byKey.get(String(details['pubkey']))
    return found === 'shared' ? undefined : found
  }, [])
}

/**
 * Public keys of accounts: by the key where it is announced, else those of the account that is named. Whoever names
 * nobody is known by the key, which no two accounts share.
 */
const accountSource: PrincipalSource<CryptosignFound, never> = {
  *find({ shown, question }) {
    const name = question.authid === undefined ? undefined : normaliseUsername(question.authid)
    const { pubkey } = question.details
    const held = yield* typeof pubkey === 'string' ? holderOf(pubkey) : keysNamed(name ?? '')
    const account = yield* findAccount(held.username)
    if (account === undefined || account.disabled || held.keys.length === 0) return undefined
    if (name !== undefined && name !== account.username) return undefined
    return { who: accountWho(account, shown.now), keys: held.keys }
  },
  // oxlint-disable-next-line require-yield -- every source is a conversation; all challenges look alike
  *shapes() {
    return []
  },
}

/** An account's name, and keys of it. Nobody's name is empty: it is asked for as names of accounts are. */
interface Held {
  readonly username: string
  readonly keys: readonly string[]
}

function* holderOf(publicKey: string): Talk<Held> {
  const row = yield* findPublicKey(publicKey)
  return { username: row?.username ?? '', keys: row === undefined ? [] : [row.publicKey] }
}

function* keysNamed(username: string): Talk<Held> {
  const rows = yield* listPublicKeys(username)
  return { username, keys: rows.map(({ publicKey }) => publicKey) }
}

/** See `sourcesOf`. An answer names the key, `pubkey`, or several, `authorized_keys`. */
export const cryptosignSources: SourceMaker<CryptosignFound, never> = {
  accounts: accountSource,
  read(answered: Answered) {
    const who = whoOf(answered)
    if (who === undefined) return undefined
    const { pubkey, authorized_keys } = dictOf(answered.value)
    return { who, keys: keysOf(Array.isArray(authorized_keys) ? authorized_keys : [pubkey]) }
  },
}

/** In the one form in which they are compared. */
function keysOf(written: readonly unknown[]): readonly string[] {
  if (written.length === 0) throw wrongKey()
  return written.map((text) => {
    const key = normalisePublicKey(text)
    if (key === undefined) throw wrongKey()
    return key
  })
}

function wrongKey(): MisuseError {
  return new MisuseError('invalid_option', 'cryptosign: a public key is 64 hex digits, and one is needed')
}
