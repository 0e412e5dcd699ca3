/** Rows for tests of stores and methods: complete, unlike each other, and changed by naming what matters. */
import { randomBytes } from 'node:crypto'
import type { Grant } from '../core/principal.ts'
import type {
  AccountRow,
  ApiKeyRow,
  ChallengeSecretRow,
  Hash,
  Mark,
  PublicKeyRow,
  ScramKeyRow,
  SessionRow,
  TicketRow,
} from '../core/records.ts'
import { grantOf } from '../core/rows.ts'

/** The instant at which the sample rows were issued, ms since the epoch. */
export const issuedAtMs: number = Date.UTC(2026, 0, 1)

/** A fresh key, as the hash of a secret would be. */
export function sampleHash(): Hash {
  // 256 random bits have the form of a SHA-256.
  return randomBytes(32).toString('base64url') as Hash
}

/** A fresh public identifier. */
function sampleId(): string {
  return randomBytes(16).toString('base64url')
}

/** A ticket for `user-17` that lives 30 s. */
export function sampleTicket(changes: Partial<TicketRow> = {}): TicketRow {
  return {
    key: sampleHash(),
    id: sampleId(),
    purpose: 'connect',
    subject: 'user-17',
    roles: ['member', 'editor'],
    audience: 'chat',
    origin: undefined,
    sessionKey: undefined,
    session: undefined,
    apiKey: undefined,
    lease: sampleId(),
    leaseUntilMs: issuedAtMs + 900_000,
    issuedAtMs,
    expiresAtMs: issuedAtMs + 30_000,
    ...changes,
  }
}

/** A login session of `user-17`: 8 hours, 30 minutes of silence. */
export function sampleSession(changes: Partial<SessionRow> = {}): SessionRow {
  const id = sampleId()
  return {
    key: sampleHash(),
    id,
    purpose: 'login',
    root: id,
    subject: 'user-17',
    roles: ['member'],
    origin: undefined,
    issuedAtMs,
    expiresAtMs: issuedAtMs + 28_800_000,
    idleMs: 1_800_000,
    lastSeenMs: issuedAtMs,
    ...changes,
  }
}

/** An API key of `service-1` that never expires. */
export function sampleApiKey(changes: Partial<ApiKeyRow> = {}): ApiKeyRow {
  return {
    key: sampleHash(),
    id: sampleId(),
    name: 'nightly import',
    subject: 'service-1',
    roles: [],
    scopes: ['connect', 'issue'],
    issuedAtMs,
    expiresAtMs: Infinity,
    ...changes,
  }
}

/** The account of `alice`. */
export function sampleAccount(changes: Partial<AccountRow> = {}): AccountRow {
  return {
    username: 'alice',
    roles: ['member'],
    passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    disabled: false,
    changedAtMs: issuedAtMs,
    ...changes,
  }
}

/** An unsalted challenge secret of `user-17`. */
export function sampleSecret(changes: Partial<ChallengeSecretRow> = {}): ChallengeSecretRow {
  return {
    authid: sampleId(),
    secret: sampleId(),
    salting: undefined,
    subject: 'user-17',
    roles: ['member'],
    session: undefined,
    uses: 'session',
    issuedAtMs,
    expiresAtMs: issuedAtMs + 28_800_000,
    ...changes,
  }
}

/** SCRAM keys of `alice`, of no password. */
export function sampleScramKey(changes: Partial<ScramKeyRow> = {}): ScramKeyRow {
  const hex = (bytes: number): string => randomBytes(bytes).toString('hex')
  return {
    username: 'alice',
    kdf: 'argon2id13',
    iterations: 3,
    memory: 65_536,
    salt: hex(16),
    storedKey: hex(32),
    serverKey: hex(32),
    changedAtMs: issuedAtMs,
    ...changes,
  }
}

/** A public key of `alice`. */
export function samplePublicKey(changes: Partial<PublicKeyRow> = {}): PublicKeyRow {
  return {
    publicKey: randomBytes(32).toString('hex'),
    username: 'alice',
    addedAtMs: issuedAtMs,
    ...changes,
  }
}

/** A mark against `user-17`, one minute after the sample rows were issued. */
export function sampleMark(changes: Partial<Mark> = {}): Mark {
  const atMs = changes.atMs ?? issuedAtMs + 60_000
  return { kind: 'subject', value: 'user-17', atMs, enforceAtMs: atMs, reason: 'revoked', ...changes }
}

/** A grant to `user-17` that rests upon nothing but a subject and its roles. */
export function sampleGrant(changes: Partial<Grant> = {}): Grant {
  return grantOf({ subject: 'user-17', roles: ['member'], issuedAtMs, ...changes })
}
