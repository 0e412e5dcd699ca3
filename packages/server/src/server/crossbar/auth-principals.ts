/**
 * Identities that are written in a configuration itself, one form for each method.
 *
 * Of a secret that is weak or known to everyone it is said that it is, never what it is. Weakness is a warning:
 * the documentation’s examples have to run.
 */
import { documented, leastIterations, leastSecretLength } from '../config-secrets.ts'
import { secretText } from './environment.ts'
import type {
  AnonymousIdentity,
  CraPrincipal,
  CryptosignPrincipal,
  ScramPrincipal,
  TicketPrincipal,
  TlsPrincipal,
} from './node.ts'
import {
  authid,
  below,
  complain,
  entriesOf,
  knownRealm,
  knownRole,
  list,
  members,
  nullable,
  oneOf,
  optional,
  shaped,
  text,
  warn,
  whole,
  type Members,
  type Reader,
  type Spot,
} from './reader.ts'

/** How a block of type `static` is written for one method. */
export interface StaticForm<P> {
  /** Its keys, besides those that every block may have. */
  readonly keys: readonly string[]
  /** Reads the block's identities. */
  principals(block: Spot, defaultRole: string | undefined): readonly P[]
}

/** `anonymous`: one identity for all. */
export const anonymousForm: StaticForm<AnonymousIdentity> = {
  keys: ['realm', 'role', 'authid'],
  principals(block, defaultRole) {
    return [
      {
        realm: optional(knownRealm, undefined)(below(block, 'realm')),
        role: optional(knownRole, defaultRole ?? 'anonymous')(below(block, 'role')),
        authid: optional(authid, undefined)(below(block, 'authid')),
      },
    ]
  },
}

/** `ticket`: a ticket for each. */
export const ticketForm: StaticForm<TicketPrincipal> = {
  keys: ['principals'],
  principals: (block, defaultRole) =>
    entriesOf(below(block, 'principals'), (name, spot) => {
      const { ticket, ...read } = members(spot, { ticket: secretText, ...common })
      judgeSecret(below(spot, 'ticket'), ticket)
      return { ...identity(name, spot, { ...read, defaultRole }), ticket }
    }),
}

/** `wampcra`: a secret for each, perhaps salted. */
export const craForm: StaticForm<CraPrincipal> = {
  keys: ['users'],
  principals: (block, defaultRole) =>
    entriesOf(below(block, 'users'), (name, spot) => {
      const { secret, salt, iterations, keylen, ...read } = members(spot, {
        secret: secretText,
        salt: optional(text(256), undefined),
        iterations: optional(whole(1, 10_000_000), undefined),
        keylen: optional(whole(16, 64), undefined),
        ...common,
      })
      judgeSecret(below(spot, 'secret'), secret)
      return {
        ...identity(name, spot, { ...read, defaultRole }),
        secret,
        salting: saltingOf(spot, { salt, iterations, keylen }),
      }
    }),
}

/** `scram`: what verifies a password, without knowing it. */
export const scramForm: StaticForm<ScramPrincipal> = {
  keys: ['principals'],
  principals: (block, defaultRole) =>
    entriesOf(below(block, 'principals'), (name, spot) => scramPrincipal(name, spot, defaultRole)),
}

/** `cryptosign`: public keys for each. */
export const cryptosignForm: StaticForm<CryptosignPrincipal> = {
  keys: ['principals', 'trustroots'],
  principals(block, defaultRole) {
    const trustroots = below(block, 'trustroots')
    if (trustroots.value !== undefined) {
      complain(trustroots, 'cannot apply: chains of trust of Ethereum are not followed; write principals')
      return []
    }
    return entriesOf(below(block, 'principals'), (name, spot) => {
      const { authorized_keys, realm, ...read } = members(spot, {
        authorized_keys: list(hex(32)),
        realm: optional(knownRealm, undefined),
        ...common,
      })
      return { ...identity(name, spot, { ...read, defaultRole }), authorizedKeys: authorized_keys, realm }
    })
  },
}

/** `tls`: a certificate for each. */
export const tlsForm: StaticForm<TlsPrincipal> = {
  keys: ['principals'],
  principals: (block, defaultRole) =>
    entriesOf(below(block, 'principals'), (name, spot) => {
      const read = members(spot, {
        'certificate-sha1': optional(hex(20), undefined),
        x_certificate_sha256: optional(hex(32), undefined),
        ...common,
      })
      const { 'certificate-sha1': sha1, x_certificate_sha256: sha256 } = read
      // SHA-1 is what the format has. Collisions of it can be made, hence a key of our own beside it.
      if ((sha1 === undefined) === (sha256 === undefined)) {
        complain(below(spot, 'certificate-sha1'), 'or "x_certificate_sha256": exactly one of them is needed')
      }
      const fingerprint =
        sha256 === undefined
          ? ({ hash: 'sha1', hex: sha1 ?? '' } as const)
          : ({ hash: 'sha256', hex: sha256 } as const)
      return { ...identity(name, spot, { authid: read.authid, role: read.role, defaultRole }), fingerprint }
    }),
}

/** Keys of every principal. */
const common = { authid: optional(authid, undefined), role: optional(knownRole, undefined) }

/** Bytes in hexadecimals, with or without colons; answered in lower case without. */
function hex(length: number): Reader<string> {
  const form = shaped(
    /^(?:[0-9a-fA-F]{2}(?::?[0-9a-fA-F]{2})*)$/,
    'must be hexadecimals, two for each byte',
    length * 3,
  )
  return (spot) => {
    const digits = form(spot).replaceAll(':', '').toLowerCase()
    if (digits !== '' && digits.length !== length * 2)
      complain(spot, `must be ${length} bytes in hexadecimals`)
    return digits
  }
}

/** Who a principal is. */
function identity(
  name: string,
  spot: Spot,
  { defaultRole, ...read }: Members<typeof common> & { readonly defaultRole: string | undefined },
): { readonly name: string; readonly authid: string; readonly role: string } {
  // The key is a name that clients log in with, so it is held to the form of one.
  authid({ ...spot, value: name })
  const role = read.role ?? defaultRole
  if (role === undefined) complain(below(spot, 'role'), 'is missing, and there is no "default-role"')
  return { name, authid: read.authid ?? name, role: role ?? '' }
}

/** Says what is weak in a secret, never what it is. */
function judgeSecret(spot: Spot, secret: string): void {
  if (documented.has(secret)) warn(spot, 'is an example from documentation: everyone knows it')
  else if (secret !== '' && Buffer.byteLength(secret) < leastSecretLength) {
    warn(spot, `is shorter than ${leastSecretLength} bytes: it can be guessed`)
  }
}

/** What releases that knew a salt alone made of it. */
const oldSalting = { iterations: 1_000, keylen: 32 }

/**
 * Salting of a user (WAMP-CRA, "Salted passwords"). A salt alone had a meaning once, which is kept; numbers
 * without a salt never had one.
 */
function saltingOf(
  spot: Spot,
  read: {
    readonly salt: string | undefined
    readonly iterations: number | undefined
    readonly keylen: number | undefined
  },
): CraPrincipal['salting'] {
  const { salt } = read
  if (salt === undefined) {
    for (const key of ['iterations', 'keylen'] as const) {
      if (read[key] !== undefined) warn(below(spot, key), 'has no effect without "salt"')
    }
    return undefined
  }
  for (const key of ['iterations', 'keylen'] as const) {
    if (read[key] === undefined) {
      warn(
        below(spot, key),
        `is missing: ${oldSalting[key]} is assumed, as older releases did; newer ones ignore the salt`,
      )
    }
  }
  const { iterations, keylen } = {
    iterations: read.iterations ?? oldSalting.iterations,
    keylen: read.keylen ?? oldSalting.keylen,
  }
  judgeIterations(below(spot, 'iterations'), iterations)
  return { salt, iterations, keylen }
}

/** A signature that is overheard lets one guess passwords, at the price of these rounds each. */
function judgeIterations(spot: Spot, iterations: number): void {
  if (iterations < leastIterations) {
    warn(spot, `is few: a stolen exchange can be guessed through; use at least ${leastIterations}`)
  }
}

/** The verifier of one password (RFC 5802 §3): `memory` counts for Argon2 alone. */
function scramPrincipal(name: string, spot: Spot, defaultRole: string | undefined): ScramPrincipal {
  const read = members(spot, {
    kdf: oneOf(['argon2id-13', 'argon2id13', 'pbkdf2'], 'pbkdf2'),
    iterations: whole(1, 10_000_000),
    memory: nullable(whole(0, 4_194_304)),
    salt: shaped(/^(?:[0-9a-fA-F]{2}){8,64}$/, 'must be 8 to 64 bytes in hexadecimals', 128),
    'stored-key': hex(32),
    'server-key': hex(32),
    ...common,
  })
  const { kdf } = read
  if (kdf === 'pbkdf2') judgeIterations(below(spot, 'iterations'), read.iterations)
  else if (read.memory === undefined || read.memory < 8) {
    complain(below(spot, 'memory'), 'must be a whole number of KiB, at least 8')
  }
  return {
    ...identity(name, spot, { authid: read.authid, role: read.role, defaultRole }),
    kdf,
    iterations: read.iterations,
    memory: kdf === 'pbkdf2' ? 0 : (read.memory ?? 0),
    salt: read.salt.toLowerCase(),
    storedKey: read['stored-key'],
    serverKey: read['server-key'],
  }
}
