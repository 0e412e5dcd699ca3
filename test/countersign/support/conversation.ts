import { expect } from 'vitest'
import type { Credential } from '../../../packages/countersign/src/core/credential.ts'
import type { Talk } from '../../../packages/countersign/src/core/drive.ts'
import type { Method, Shown } from '../../../packages/countersign/src/core/method.ts'
import type { Need } from '../../../packages/countersign/src/core/ports.ts'
import type { Verdict } from '../../../packages/countersign/src/core/verdict.ts'
import type { SessionRow, TicketRow } from '../../../packages/countersign/src/core/records.ts'
import { handshakeOf } from './guard.ts'

/** The instant at which every conversation of these tests takes place. */
export const noon: number = Date.parse('2030-06-01T12:00:00Z')

/** A question, as far as the test cares, and what it is answered with. */
export type Exchange = readonly [asked: Partial<Need> & { readonly kind: Need['kind'] }, answer: unknown]

/** Holds a conversation to a list of questions and answers. @returns the verdict in which it ends */
export function converse(talk: Talk<Verdict>, ...exchanges: readonly Exchange[]): Verdict {
  let step = talk.next()
  for (const [asked, answer] of exchanges) {
    expect(step).toMatchObject({ done: false, value: asked })
    step = talk.next(answer)
  }
  if (step.done !== true) throw new Error(`one question more: ${JSON.stringify(step.value)}`)
  return step.value
}

/** What a method is given, with a bare token unless another credential is named. */
export function shown(facts: Partial<Shown> = {}): Shown {
  return {
    credential: token('secret'),
    proof: undefined,
    handshake: handshakeOf(),
    audience: 'chat',
    now: noon,
    ...facts,
  }
}

/** A bare token. */
export function token(text: string): Credential {
  return { kind: 'token', text, form: 'bare' }
}

/** Basic user information. */
export function basic(username: string, password: string): Credential {
  return { kind: 'basic', username, password }
}

/** A credential that no method of tokens judges. */
export const hello: Credential = {
  kind: 'hello',
  authid: 'peter',
  methods: ['wampcra'],
  nonce: undefined,
  join: undefined,
}

/** What a method recognises, by name of the credential. */
export function recognised(
  method: Method,
  credentials: Readonly<Record<string, Credential>>,
): readonly string[] {
  return Object.keys(credentials).filter((name) => {
    const credential = credentials[name]
    return credential !== undefined && method.recognises(credential)
  })
}

/** A ticket of alice for the audience `chat`, good at noon. */
export function ticketRow(facts: Partial<TicketRow> = {}): TicketRow {
  return {
    key: 'hashed' as TicketRow['key'],
    id: 'ticket-1',
    purpose: 'connect',
    subject: 'alice',
    roles: ['member'],
    audience: 'chat',
    origin: undefined,
    sessionKey: undefined,
    session: 'login-1',
    apiKey: undefined,
    lease: 'lease-1',
    leaseUntilMs: noon + 900_000,
    issuedAtMs: noon - 1_000,
    expiresAtMs: noon + 29_000,
    ...facts,
  }
}

/** A login session of alice, good at noon and used just now. */
export function sessionRow(facts: Partial<SessionRow> = {}): SessionRow {
  return {
    key: 'hashed' as SessionRow['key'],
    id: 'login-1',
    purpose: 'login',
    root: 'login-1',
    subject: 'alice',
    roles: ['member'],
    origin: undefined,
    issuedAtMs: noon - 60_000,
    expiresAtMs: noon + 3_600_000,
    idleMs: Infinity,
    lastSeenMs: noon - 1_000,
    ...facts,
  }
}
