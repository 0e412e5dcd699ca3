/** What the outside lends, and the questions by which a conversation asks for it. */
import type { GuessLimiter } from './guess.ts'
import type { Caller } from './handshake.ts'
import type { Grant } from './principal.ts'
import type { Reason } from './reasons.ts'
import type {
  AccountRow,
  ApiKeyRow,
  ChallengeSecretRow,
  Hash,
  Mark,
  MaybePromise,
  PublicKeyRow,
  Records,
  Salting,
  ScramDerivation,
  ScramKeyRow,
  SessionRow,
  SpentRow,
  TicketRow,
} from './records.ts'

/** Words for the peer: a challenge that it must answer (WAMP CHALLENGE: method and extra). */
export interface Challenge {
  readonly method: string
  readonly extra: Readonly<Record<string, unknown>>
}

/** What the peer said, and when: a slow peer must not be granted a lease measured from before its pause. */
export interface Heard {
  /** A first message, or the signature of an answer. */
  readonly text: string
  readonly now: number
  /** What came beside the signature (WAMP AUTHENTICATE `Extra`). */
  readonly extra?: Readonly<Record<string, unknown>>
}

/** A JSON Web Signature that passed the strict pre-parse. */
export interface CompactJws {
  /** The token as shown. */
  readonly token: string
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
  /** What the signature covers: header and payload as they were encoded (RFC 7515 §5.2). */
  readonly signingInput: string
  /** The signature's bytes; their form depends on the algorithm. */
  readonly signature: Uint8Array
}

/** A public key as Web Crypto imports it: for one scheme, for verifying alone. */
export type PublicKey = InstanceType<typeof CryptoKey>

/** Finds the key that a token names, among the keys of a configured issuer. */
export interface KeyFinder {
  /**
   * @returns the one key that is allowed for the token's `alg` and `kid`, imported for that `alg`
   * @throws OutageError when keys cannot be fetched or imported
   */
  find(now: number): MaybePromise<PublicKey | undefined>
}

/** Who is behind a session of the web application, as its own code knows. */
export interface ApplicationVisitor {
  /** Stable and unique, 1 to 256 characters. */
  readonly subject: string
  /** @default none */
  readonly roles?: readonly string[]
  /** Public identifier of the session, not its secret: `guard.revoke({ session })` ends its sockets by it. */
  readonly session?: string
  /** When the session ends, ms since the epoch. @default never: the guard's `maxLeaseMs` bounds the lease */
  readonly expiresAtMs?: number
  /**
   * When they logged in, ms since the epoch: revocations since then refuse the session for good. @default the attempt's
   * own time: whoever was revoked may come back for as long as the application still knows the session
   */
  readonly provedAtMs?: number
  /** What the application wants to find on the lease besides. Never the credential itself. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** Who shows the value, for sessions that are bound to a page or an address. */
export interface ApplicationCaller {
  /** `Origin` as sent; `undefined` means that the client is no browser. */
  readonly origin: string | undefined
  /** The peer's address, or the one that a trusted proxy vouches for. */
  readonly remoteAddress: string
}

/**
 * The web application's own answer to whose session a value is.
 * @param value as it was shown: bounded, neither decoded nor verified. Secret
 * @returns `undefined` for a session that it does not know, or that is over
 * @throws where it cannot tell; the guard makes it the reason `internal`
 */
export type ApplicationCheck = (
  value: string,
  caller: ApplicationCaller,
) => MaybePromise<ApplicationVisitor | undefined>

/** What a source is asked: who wants to come in, and what is known about them. */
export interface SourceQuestion {
  /** Name of the method on the wire: `ticket`, `wampcra`, … */
  readonly method: string
  readonly realm: string | undefined
  readonly authid: string | undefined
  /** Facts for authenticators: session, transport, authextra, and what the method adds (a ticket). Secret in part. */
  readonly details: Readonly<Record<string, unknown>>
}

/** Where a method finds its principals: a static list, an authenticator procedure, a function, the account database. */
export interface Source<Found extends object> {
  /**
   * Looks somebody up, or judges what they showed.
   * @returns `undefined`: not known here, the next source is asked; `denied`: known not to be let in, nobody else is asked
   * @throws OutageError when it cannot tell: the attempt is refused as `overloaded`
   */
  find(question: SourceQuestion): MaybePromise<Found | 'denied' | undefined>
}

/** A signature to be checked (RFC 8032 §5.1); what has the wrong length is merely wrong. */
export interface Ed25519Signature {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** Holds a private key of the server. */
export interface Signer {
  /** @returns the Ed25519 signature of the message, 64 bytes */
  sign(message: Uint8Array): MaybePromise<Uint8Array>
}

/** One row per question that a method may ask: what it says, what it gets. */
export interface Questions {
  /** A single-use row, which is gone from the store by the time this is answered. */
  takeTicket: { readonly ask: { readonly key: Hash }; readonly answer: TicketRow | undefined }
  /** A session by the hash of its secret. Whether it is over is for the method to judge. */
  findSession: { readonly ask: { readonly key: Hash }; readonly answer: SessionRow | undefined }
  /** Tells that a session was used at `now`, so that its silence is counted from then. */
  touchSession: { readonly ask: { readonly key: Hash; readonly now: number }; readonly answer: void }
  /** An API key by the hash of its secret. */
  findApiKey: { readonly ask: { readonly key: Hash }; readonly answer: ApiKeyRow | undefined }
  /** An account by its normalised name. */
  findAccount: { readonly ask: { readonly username: string }; readonly answer: AccountRow | undefined }
  /** A challenge secret by its authid, unsealed. Asked for unknown names alike. */
  findChallengeSecret: {
    readonly ask: { readonly authid: string }
    readonly answer: ChallengeSecretRow | undefined
  }
  /** Spends a challenge secret: `true` for exactly one of all who ask. */
  takeChallengeSecret: { readonly ask: { readonly authid: string }; readonly answer: boolean }
  /** Shapes of real saltings, from which those of decoys are drawn. */
  listSaltings: { readonly ask: { readonly most: number }; readonly answer: readonly (Salting | undefined)[] }
  /** The SCRAM keys of an account, which may be disabled. Asked for unknown names alike. */
  findScramKey: { readonly ask: { readonly username: string }; readonly answer: ScramKeyRow | undefined }
  /** Derivations of real SCRAM keys, after which decoys take. */
  listScramDerivations: {
    readonly ask: { readonly most: number }
    readonly answer: readonly ScramDerivation[]
  }
  /** Whose public key this is, lower-case hex. */
  findPublicKey: { readonly ask: { readonly publicKey: string }; readonly answer: PublicKeyRow | undefined }
  /** The public keys of an account. */
  listPublicKeys: { readonly ask: { readonly username: string }; readonly answer: readonly PublicKeyRow[] }
  /** Notes that what somebody else issued was used: `true` for exactly one of all who ask. */
  putSpent: { readonly ask: { readonly row: SpentRow }; readonly answer: boolean }
  /** Whether it was used before. */
  findSpent: { readonly ask: { readonly key: Hash }; readonly answer: boolean }
  /** The mark that revokes this grant, this lease or what this caller was granted, if any. */
  findMark: {
    readonly ask: { readonly grant: Grant; readonly lease: string; readonly caller: Caller }
    readonly answer: Mark | undefined
  }
  /** How long an (identity, source) must wait before a guessable secret is judged, ms; 0: go on. */
  attempt: { readonly ask: { readonly identity: string; readonly source: string }; readonly answer: number }
  /** Tells how an attempt ended, so that failures count and successes clear. Not 0: refuse it whatever it was, ms to wait. */
  attempted: {
    readonly ask: { readonly identity: string; readonly source: string; readonly right: boolean }
    readonly answer: number
  }
  /** SHA-256, of a text's UTF-8 bytes, base64url: the form in which stores know secrets. */
  hash: { readonly ask: { readonly text: string | Uint8Array }; readonly answer: Hash }
  /** HMAC-SHA-256 of the text, standard base64. A string key is its UTF-8 bytes. */
  hmac: {
    readonly ask: { readonly key: string | Uint8Array; readonly text: string }
    readonly answer: string
  }
  /** As `hmac`, under a key that never leaves this deployment: for decoys that are stable across restarts. */
  decoy: { readonly ask: { readonly text: string }; readonly answer: string }
  /** PBKDF2-HMAC-SHA256, raw bytes. */
  derive: {
    readonly ask: { readonly secret: string; readonly salting: Salting }
    readonly answer: Uint8Array
  }
  /** Whether this Ed25519 key's owner signed these bytes. */
  verifyEd25519: { readonly ask: Ed25519Signature; readonly answer: boolean }
  /** The server's own signature, for peers that want to know whom they have reached. */
  sign: {
    readonly ask: { readonly signer: Signer; readonly message: Uint8Array }
    readonly answer: Uint8Array
  }
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
  /** The public key that a token names. @throws into the conversation when keys are out of reach */
  findKey: {
    readonly ask: { readonly finder: KeyFinder; readonly now: number }
    readonly answer: PublicKey | undefined
  }
  /** Whether this key's owner signed the text. The scheme is the key's: nothing that was shown can choose it. */
  verify: {
    readonly ask: { readonly key: PublicKey; readonly text: string; readonly signature: Uint8Array }
    readonly answer: boolean
  }
  /** Whose session the web application says this is. @throws into the conversation what the callback throws */
  askApplication: {
    readonly ask: {
      readonly check: ApplicationCheck
      readonly value: string
      readonly caller: ApplicationCaller
    }
    readonly answer: ApplicationVisitor | undefined
  }
  /** What one source knows about somebody. @throws into the conversation what the source throws */
  consult: {
    readonly ask: { readonly source: Source<object>; readonly question: SourceQuestion }
    readonly answer: object | 'denied' | undefined
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
  /** The time. May jump either way: whoever compares two instants bears with that. */
  now(): number
  /** Calls `tick` about every `everyMs` until the returned function is called. Must not keep the process alive. */
  every(everyMs: number, tick: () => void): () => void
}

/** Cryptography and randomness of the runtime. One-shot where the runtime has it: a promise here is a promise everywhere. */
export interface Platform {
  readonly clock: Clock
  /** SHA-256, of a text's UTF-8 bytes, base64url without padding. */
  hash(text: string | Uint8Array): MaybePromise<Hash>
  /** HMAC-SHA-256, standard base64. */
  hmac(key: string | Uint8Array, text: string): MaybePromise<string>
  /**
   * Whether the signature of the text's UTF-8 bytes is right under the scheme that the key was imported for: Ed25519,
   * ECDSA over P-256, P-384 or P-521 (two numbers of fixed length, RFC 7518 §3.4), RSASSA-PKCS1-v1_5, or RSA-PSS with a
   * salt as long as the digest (§3.5). Of a signature of any other form or length: `false`.
   * @throws TypeError for a key that was imported for something else
   */
  verify(key: PublicKey, text: string, signature: Uint8Array): MaybePromise<boolean>
  /** Whether the Ed25519 signature is right; `false` for a key or a signature of any other length. */
  verifyEd25519(signed: Ed25519Signature): MaybePromise<boolean>
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
  /** When it happened, ms since the epoch by the guard's clock. */
  readonly atMs: number
  /** Name of the guard. */
  readonly guard: string
  /** Name of the method that judged; `undefined` where none came to it. */
  readonly method: string | undefined
  /**
   * Who was accepted, issued to or ended. A refused name is not here: people type passwords into name
   * fields.
   */
  readonly subject: string | undefined
  /** Public identifier of the lease: the same in `accepted` and in `ended`. */
  readonly lease: string | undefined
  /** Why it was refused or has ended; for errors `internal`. */
  readonly reason: Reason | undefined
  /** Who was calling, as the handshake has it: the peer, or the client that a trusted proxy names. */
  readonly remoteAddress: string | undefined
  /** `Origin` of the attempt: which page asked. */
  readonly origin: string | undefined
  /** Constant words, or the name of an error's class. */
  readonly detail: string | undefined
}

/** Where security events go. Must not throw and must not wait. */
export interface Journal {
  /** Takes one entry. Whatever it does with it happens later: a knock waits for its return. */
  record(entry: JournalEntry): void
}

/** News that every guard on every node must hear: all leases of this kind and value end. */
export interface Revocation extends Mark {
  /**
   * Whether leases that rest upon something issued after the mark's instant are spared. Otherwise all end that are open
   * when the news comes: clocks of nodes differ, and a revocation must not miss one for that.
   */
  readonly sparesNewer: boolean
}

/** How addresses are read, where rules speak of blocks of them. */
export interface AddressRules {
  /** The one spelling of an address or a block in CIDR notation; `undefined` for a text that is neither. */
  normalise(text: string): string | undefined
  /** Whether addresses lie in a block, as `normalise` has written it. */
  test(range: string): (address: string) => boolean
}

/** How guards hear each other. Delivery to guards of the same process is synchronous. */
export interface Bus {
  /**
   * Tells everyone who is subscribed, here and on other nodes. The mark is in the records already: where
   * news is lost on the way, the lease ends at its next refresh or its expiry instead of at once.
   */
  publish(news: Revocation): void
  /** @returns a function that ends the subscription */
  subscribe(hear: (news: Revocation) => void): () => void
}

/** An allow-list of origins or of hosts, compiled. */
export interface AllowList {
  /** Whether this text, exactly as the peer sent it, is on the list. Total. */
  allows(text: string): boolean
}

/** All that the outside lends to a guard. */
export interface Ports {
  readonly records: Records
  readonly platform: Platform
  readonly passwords: PasswordHasher
  readonly journal: Journal
  readonly bus: Bus
  readonly guesses: GuessLimiter
  /** Key of decoy challenges: the same on every node and after every restart, kept like a sealing key. */
  readonly decoyKey: string | Uint8Array
}
