/** What the world keeps for Countersign: rows, and the one interface behind which every store stands. */
import type { Caller } from './handshake.ts'
import type { Grant } from './principal.ts'

/** SHA-256 of a secret, base64url without padding. Secrets themselves are never keys. */
export type Hash = string & { readonly __brand: 'Hash' }

/** A value now or later. Embedded stores answer now; `drive` only waits for those that cannot. */
export type MaybePromise<T> = T | PromiseLike<T>

/** What a single-use row is for; each method takes only its own. */
export type TicketPurpose = 'connect' | 'frame' | 'csrf'

/** A single-use credential. `take` removes it, whatever is decided afterwards. */
export interface TicketRow {
  readonly key: Hash
  /** Public identifier: listed, revoked, journalled. */
  readonly id: string
  readonly purpose: TicketPurpose
  readonly subject: string
  readonly roles: readonly string[]
  /** What it may be exchanged at: compared exactly with the audience of the method or its guard. */
  readonly audience: string
  /** Page origin that it was issued to; `undefined`: any. */
  readonly origin: string | undefined
  /** Key of the session that it is bound to (for `csrf`: the preauth session). */
  readonly sessionKey: Hash | undefined
  /** Identifier of the login session that it descends from. */
  readonly session: string | undefined
  /** Public identifier of the API key that asked for it: it dies with the key. */
  readonly apiKey: string | undefined
  /** Lease id that its acceptance will carry. */
  readonly lease: string
  /** End of the lease that acceptance grants, ms since the epoch. */
  readonly leaseUntilMs: number
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** What a session may be used for; each method accepts only its own. */
export type SessionPurpose = 'login' | 'frame' | 'alias' | 'preauth'

/** A session: of the login form, or a child of one. Children end with their parent. */
export interface SessionRow {
  readonly key: Hash
  /** Public identifier of this session. */
  readonly id: string
  readonly purpose: SessionPurpose
  /** Identifier of the login session at the root; its own `id` for a login session. */
  readonly root: string
  readonly subject: string
  readonly roles: readonly string[]
  /** Page origin that it is bound to; `undefined`: any allowed one. */
  readonly origin: string | undefined
  readonly issuedAtMs: number
  /** Absolute end. */
  readonly expiresAtMs: number
  /** Longest silence, ms; `Infinity` for none. */
  readonly idleMs: number
  /** When it was last used, to within the interval at which use is written down. */
  readonly lastSeenMs: number
}

/** A machine's long-lived key. */
export interface ApiKeyRow {
  readonly key: Hash
  readonly id: string
  /** What its owner calls it: shown in lists, never compared. */
  readonly name: string
  readonly subject: string
  readonly roles: readonly string[]
  /** What it may do over HTTP: `connect`, `issue`, `revoke`. */
  readonly scopes: readonly string[]
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** Someone who can log in. */
export interface AccountRow {
  /**
   * Name as typed at login, normalised (NFKC, lower case): the account's key, and the subject of what it
   * opens.
   */
  readonly username: string
  readonly roles: readonly string[]
  /** PHC string of argon2id; `undefined`: no password, cannot log in with one. */
  readonly passwordHash: string | undefined
  /** A disabled account answers as an unknown one does, at the same cost. */
  readonly disabled: boolean
  /** When the account, its password or its roles were last changed. */
  readonly changedAtMs: number
}

/** How a salted WAMP-CRA secret was derived (PBKDF2-HMAC-SHA256). */
export interface Salting {
  /** As the peer is told it: text, its UTF-8 bytes are the salt. */
  readonly salt: string
  /** Rounds of PBKDF2. */
  readonly iterations: number
  /** Length of the derived key, bytes. */
  readonly keylen: number
}

/** A secret for challenge-response. Stores seal `secret` at rest: the protocol needs it in clear. */
export interface ChallengeSecretRow {
  /** The name that it logs in, and its key: public. */
  readonly authid: string
  /** Key of the HMAC as text: for a salted secret, the base64 of the derived bytes. */
  readonly secret: string
  /** How the peer must derive the key; `undefined`: it signs with the secret itself. */
  readonly salting: Salting | undefined
  readonly subject: string
  readonly roles: readonly string[]
  /** Identifier of the login session that it dies with. */
  readonly session: string | undefined
  /** `one`: spent by its first success. */
  readonly uses: 'one' | 'session'
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/**
 * How SCRAM makes a salted password. `argon2id13` is the specification's, whose key is the hash itself; `argon2id-13` is
 * Autobahn's, whose key is the hash in base64 without padding: stored keys of one fit no other.
 */
export type ScramKdf = 'pbkdf2' | 'argon2id13' | 'argon2id-13'

/** What a SCRAM challenge tells about a derivation: decoys take after it. */
export interface ScramDerivation {
  readonly kdf: ScramKdf
  /** Rounds of PBKDF2, or passes of argon2id. */
  readonly iterations: number
  /** KiB for argon2id; `undefined` for PBKDF2. */
  readonly memory: number | undefined
  readonly saltBytes: number
}

/** What is kept of an account's password for SCRAM (RFC 5802 §3): it checks a proof, and cannot make one. */
export interface ScramKeyRow extends Omit<ScramDerivation, 'saltBytes'> {
  /** The account, and the key of the row. */
  readonly username: string
  /** Lower-case hex, 8 to 64 bytes. */
  readonly salt: string
  /** SHA-256 of the client key: lower-case hex, 32 bytes. */
  readonly storedKey: string
  /** Lower-case hex, 32 bytes. */
  readonly serverKey: string
  /** When it was derived. */
  readonly changedAtMs: number
}

/** An Ed25519 key whose holder may log in to an account. */
export interface PublicKeyRow {
  /** Lower-case hex, 32 bytes: the key of the row, so that no two accounts share one. */
  readonly publicKey: string
  readonly username: string
  readonly addedAtMs: number
}

/** Most public keys that one account may have. */
export const maxPublicKeys = 16

/** Something that somebody else issued for one use, a logout token for instance, and that was used. */
export interface SpentRow {
  /** Hash of what names it: its issuer and its `jti`. */
  readonly key: Hash
  readonly usedAtMs: number
  /** From then on it is refused for its age, and need not be remembered. */
  readonly untilMs: number
}

/**
 * What a revocation mark may point at: members of a `Grant`, one of its roles, a lease by its id, the caller's address (a
 * block of them) or the page's origin, or everything that was issued before an instant.
 */
export const markKinds = [
  'subject',
  'session',
  'token',
  'apiKey',
  'certificate',
  'serial',
  'issuer',
  'role',
  'lease',
  'address',
  'origin',
  'issuedBefore',
] as const

/** One of `markKinds`. */
export type MarkKind = (typeof markKinds)[number]

/**
 * Everything of this kind and value that was issued at or before `atMs` is revoked. What is named by `session` and
 * `lease` never comes back, so those marks hold whenever a grant was issued: a child of a session that is put while its
 * parent is being revoked does not survive it.
 */
export interface Mark {
  readonly kind: MarkKind
  /** Which one of its kind: an id, a name, a fingerprint; a block of addresses as `192.0.2.0/24`. Never a secret. */
  readonly value: string
  /** What was issued at or before this instant is meant, ms since the epoch. */
  readonly atMs: number
  /**
   * When open leases end by it, ms since the epoch: `atMs`, or later where their holders are given time to come with
   * something that was issued since. Acceptance is refused from `atMs` on either way.
   */
  readonly enforceAtMs: number
  /** Why, as the closing reason tells it. */
  readonly reason: 'revoked' | 'logged_out'
}

/**
 * The records port. Every implementation passes `recordsSuite` of `countersign/testing`.
 * A row is visible to every reader from the moment its `put` has answered. A failing store throws or rejects: the
 * guard then refuses with `internal`, never opens.
 */
export interface Records {
  /** Stores a fresh single-use row. Keys are random: a collision throws. */
  putTicket(row: TicketRow): MaybePromise<void>
  /** Removes and returns the row. Atomic: of any number of callers exactly one ever gets it, also after a crash. */
  takeTicket(key: Hash): MaybePromise<TicketRow | undefined>
  /** Stores a fresh session or a child of one. Keys are random. */
  putSession(row: SessionRow): MaybePromise<void>
  /** Reads a session. Expiry is the caller's to judge. */
  findSession(key: Hash): MaybePromise<SessionRow | undefined>
  /** Moves `lastSeenMs` forward; unknown keys are ignored. */
  touchSession(key: Hash, lastSeenMs: number): MaybePromise<void>
  /** Ends a login session and every child of it, durably. */
  endSessions(root: string): MaybePromise<void>
  /** Stores a fresh key, durably: it outlives the process that made it. */
  putApiKey(row: ApiKeyRow): MaybePromise<void>
  /** Reads a key by the hash of its secret. Expiry is the caller's to judge. */
  findApiKey(key: Hash): MaybePromise<ApiKeyRow | undefined>
  /** Removes a key, durably. Answers whether it existed. */
  endApiKey(id: string): MaybePromise<boolean>
  /** All keys, expired ones that no `sweep` has met included. No order is promised. */
  listApiKeys(): MaybePromise<readonly ApiKeyRow[]>
  /** Creates or replaces an account, durably. */
  putAccount(row: AccountRow): MaybePromise<void>
  /** Reads an account by its normalised name, compared exactly. */
  findAccount(username: string): MaybePromise<AccountRow | undefined>
  /** All accounts, disabled ones included. No order is promised. */
  listAccounts(): MaybePromise<readonly AccountRow[]>
  /** Creates or replaces the secret of this authid. */
  putChallengeSecret(row: ChallengeSecretRow): MaybePromise<void>
  /** Reads a secret, unsealed. Expiry is the caller's to judge. */
  findChallengeSecret(authid: string): MaybePromise<ChallengeSecretRow | undefined>
  /** Removes the secret. Atomic: exactly one caller is told `true`. */
  takeChallengeSecret(authid: string): MaybePromise<boolean>
  /**
   * Distinct saltings in use, `undefined` standing for unsalted; at most `most`. Decoy challenges are drawn from them, hence
   * secrets that end with a session do not count: unknown names would look otherwise as logins come and go.
   */
  listSaltings(most: number): MaybePromise<readonly (Salting | undefined)[]>
  /** Creates or replaces the SCRAM keys of an account, durably. */
  putScramKey(row: ScramKeyRow): MaybePromise<void>
  /** Reads the SCRAM keys of an account, which may be disabled. */
  findScramKey(username: string): MaybePromise<ScramKeyRow | undefined>
  /** Removes the SCRAM keys of an account, durably. Answers whether there were any. */
  endScramKey(username: string): MaybePromise<boolean>
  /** Distinct derivations in use, at most `most`. Decoy challenges are drawn from them. */
  listScramDerivations(most: number): MaybePromise<readonly ScramDerivation[]>
  /**
   * Adds a public key to an account, durably and atomically. `taken`: some account has it already, this one perhaps;
   * `full`: this account has `maxPublicKeys` of them. Neither changes anything.
   */
  addPublicKey(row: PublicKeyRow): MaybePromise<'added' | 'taken' | 'full'>
  /** Reads a public key, lower-case hex. */
  findPublicKey(publicKey: string): MaybePromise<PublicKeyRow | undefined>
  /** Removes a public key from the account that has it, durably. Answers whether this account had it. */
  endPublicKey(username: string, publicKey: string): MaybePromise<boolean>
  /** The public keys of an account, `maxPublicKeys` at most. No order is promised. */
  listPublicKeys(username: string): MaybePromise<readonly PublicKeyRow[]>
  /** Notes that something was used. Atomic: of any number of callers exactly one is told `true`. */
  putSpent(row: SpentRow): MaybePromise<boolean>
  /** Whether that is noted. What is over may be forgotten: its finder refuses it for its age. */
  findSpent(key: Hash): MaybePromise<boolean>
  /** Writes a revocation mark, durably. A later mark of the same kind and value replaces an earlier one. */
  putMark(mark: Mark): MaybePromise<void>
  /**
   * The mark that revokes this grant, this lease (`''`: none) or what this caller was granted, if any.
   * @param caller `undefined`: nobody is calling, marks of addresses and origins are passed over
   */
  findMark(grant: Grant, lease: string, caller?: Caller): MaybePromise<Mark | undefined>
  /** Drops what expired before `now`. Answers how many rows went. Marks are kept for 400 days. */
  sweep(now: number): MaybePromise<number>
  /** Releases files and connections. */
  close(): MaybePromise<void>
}
