/** What the outside lends, and the questions by which a conversation asks for it. */
import type { Grant } from './principal.ts'
import type { Reason } from './reasons.ts'
import type {
  AccountRow,
  ApiKeyRow,
  ChallengeSecretRow,
  Hash,
  Mark,
  MaybePromise,
  Records,
  Salting,
  SessionRow,
  TicketRow,
} from './records.ts'

/** Words for the peer: a challenge that it must answer (WAMP CHALLENGE: method and extra). */
export interface Challenge {
  readonly method: string
  readonly extra: Readonly<Record<string, unknown>>
}

/** What the peer said, and when: a slow peer must not be granted a lease measured from before its pause. */
export interface Heard {
  readonly text: string
  readonly now: number
}

/** A JSON Web Signature that passed the strict pre-parse. */
export interface CompactJws {
  /** The token as shown, for libraries that parse it again. */
  readonly token: string
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
  readonly signingInput: string
  readonly signature: Uint8Array
}

/** Checks a signature against keys of configured issuers. */
export interface SignatureChecker {
  /**
   * @returns whether the signature is valid under a key that is allowed for the token's `alg` and `kid`
   * @throws OutageError when keys cannot be fetched
   */
  check(jws: CompactJws, now: number): MaybePromise<boolean>
}

/** One row per question that a method may ask: what it says, what it gets. */
export interface Questions {
  takeTicket: { readonly ask: { readonly key: Hash }; readonly answer: TicketRow | undefined }
  findSession: { readonly ask: { readonly key: Hash }; readonly answer: SessionRow | undefined }
  touchSession: { readonly ask: { readonly key: Hash; readonly now: number }; readonly answer: void }
  findApiKey: { readonly ask: { readonly key: Hash }; readonly answer: ApiKeyRow | undefined }
  findAccount: { readonly ask: { readonly username: string }; readonly answer: AccountRow | undefined }
  findChallengeSecret: {
    readonly ask: { readonly authid: string }
    readonly answer: ChallengeSecretRow | undefined
  }
  takeChallengeSecret: { readonly ask: { readonly authid: string }; readonly answer: boolean }
  listSaltings: { readonly ask: { readonly most: number }; readonly answer: readonly (Salting | undefined)[] }
  /** The mark that revokes this grant or this lease, if any. */
  findMark: {
    readonly ask: { readonly grant: Grant; readonly lease: string }
    readonly answer: Mark | undefined
  }
  /** How long an (identity, source) must wait before a guessable secret is judged, ms; 0: go on. */
  attempt: { readonly ask: { readonly identity: string; readonly source: string }; readonly answer: number }
  /** Tells how an attempt ended, so that failures count and successes clear. */
  attempted: {
    readonly ask: { readonly identity: string; readonly source: string; readonly right: boolean }
    readonly answer: void
  }
  hash: { readonly ask: { readonly text: string }; readonly answer: Hash }
  /** HMAC-SHA-256 of the text, standard base64. A string key is its UTF-8 bytes. */
  hmac: {
    readonly ask: { readonly key: string | Uint8Array; readonly text: string }
    readonly answer: string
  }
  /** As `hmac`, under a key that never leaves this deployment: for decoys that are stable across restarts. */
  decoy: { readonly ask: { readonly text: string }; readonly answer: string }
  /** Fresh random bytes, base64url without padding. */
  random: { readonly ask: { readonly bytes: number }; readonly answer: string }
  /** argon2id; `hash: undefined` costs the same and answers `wrong`. `busy`: the queue is full. */
  verifyPassword: {
    readonly ask: {
      readonly identity: string
      readonly source: string
      readonly password: string
      readonly hash: string | undefined
    }
    readonly answer: 'right' | 'wrong' | 'busy'
  }
  checkSignature: {
    readonly ask: { readonly checker: SignatureChecker; readonly jws: CompactJws; readonly now: number }
    readonly answer: boolean
  }
  /** Gives the peer the word: with a challenge, or silently while its first message is awaited. */
  hear: { readonly ask: { readonly say: Challenge | undefined }; readonly answer: Heard }
}

/** Name of a question. */
export type Kind = keyof Questions
/** A question as plain data. */
export type Need<K extends Kind = Kind> = { [P in K]: { readonly kind: P } & Questions[P]['ask'] }[K]
/** What it is answered with. */
export type Answer<K extends Kind> = Questions[K]['answer']
/** Everything but the peer, as a table of answers: one function per question. */
export type Answers = { readonly [K in Exclude<Kind, 'hear'>]: (need: Need<K>) => MaybePromise<Answer<K>> }

/** Milliseconds since the epoch. */
export interface Clock {
  now(): number
  /** Calls `tick` about every `everyMs` until the returned function is called. Must not keep the process alive. */
  every(everyMs: number, tick: () => void): () => void
}

/** Cryptography and randomness of the runtime. One-shot where the runtime has it: a promise here is a promise everywhere. */
export interface Platform {
  readonly clock: Clock
  hash(text: string): MaybePromise<Hash>
  /** HMAC-SHA-256, standard base64. */
  hmac(key: string | Uint8Array, text: string): MaybePromise<string>
  /** `bytes` of a cryptographic generator, base64url without padding. */
  random(bytes: number): string
  /** PBKDF2-HMAC-SHA256, raw bytes. */
  derive(secret: string, salting: Salting): MaybePromise<Uint8Array>
}

/** Password hashing, bounded: more than `maxQueued` waiting calls are answered `busy` at once. */
export interface PasswordHasher {
  /** PHC string of a fresh argon2id hash. */
  hash(password: string): MaybePromise<string>
  /**
   * `hash: undefined` does the same work and answers `wrong`. `source` is who asks: where calls have to wait, no source
   * may take all the places.
   */
  verify(
    password: string,
    hash: string | undefined,
    source?: string,
  ): MaybePromise<'right' | 'wrong' | 'busy'>
}

/** Protects secrets at rest that the protocol needs in clear. Authenticated encryption with key ids. */
export interface Sealer {
  /** `context` is bound in: a sealed text opens only under the same context. */
  seal(text: string, context: string): string
  /** `undefined` when the text was not sealed by any known key under this context. */
  unseal(sealed: string, context: string): string | undefined
}

/** One line of the security journal. No member ever holds a credential. */
export interface JournalEntry {
  readonly kind: 'accepted' | 'refused' | 'ended' | 'issued' | 'revoked' | 'error'
  readonly atMs: number
  /** Name of the guard. */
  readonly guard: string
  readonly method: string | undefined
  readonly subject: string | undefined
  readonly lease: string | undefined
  readonly reason: Reason | undefined
  readonly remoteAddress: string | undefined
  readonly origin: string | undefined
  /** Constant words, or the name of an error's class. */
  readonly detail: string | undefined
}

/** Where security events go. Must not throw and must not wait. */
export interface Journal {
  record(entry: JournalEntry): void
}

/** News that every guard on every node must hear: all leases of this kind and value end. */
export type Revocation = Mark

/** How guards hear each other. Delivery to guards of the same process is synchronous. */
export interface Bus {
  publish(news: Revocation): void
  /** @returns a function that ends the subscription */
  subscribe(hear: (news: Revocation) => void): () => void
}

/** An allow-list of origins or of hosts, compiled. */
export interface AllowList {
  allows(text: string): boolean
}

/** All that the outside lends to a guard. */
export interface Ports {
  readonly records: Records
  readonly platform: Platform
  readonly passwords: PasswordHasher
  readonly journal: Journal
  readonly bus: Bus
  /** Key of decoy challenges: the same on every node and after every restart, kept like a sealing key. */
  readonly decoyKey: string | Uint8Array
}
