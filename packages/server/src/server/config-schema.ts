/** The shape of a configuration: what may be written, and what is assumed where nothing is. */
import { z } from 'zod'
import type { ConfigText, ListenAddress } from './config-types.ts'

const name = z.string().regex(/^[\w.-]{1,64}$/, 'letters, digits and . - _, at most 64')
const file = z.string().min(1).max(4_096)
const role = z.string().regex(/^[\w.:-]{1,64}$/, 'letters, digits and . : - _, at most 64')
const subject = z.string().min(1).max(256)

const listen = z
  .string()
  .max(270)
  .transform((text, context): ListenAddress => {
    const address = parseListen(text)
    if (address !== undefined) return address
    context.addIssue('not an address; write 127.0.0.1:8080, localhost:8080 or [::1]:8080')
    return z.NEVER
  })

const tls = z.strictObject({
  /** PEM file with the certificate and what leads to its authority. */
  cert: file,
  /** PEM file with the private key. */
  key: file,
})

const origins = z.array(z.string().max(300)).max(100)
const hosts = z.array(z.string().max(270)).max(100)

/** A list, or one member of it. */
function oneOrMore<const T extends readonly [string, ...string[]]>(
  members: T,
): z.ZodType<readonly T[number][]> & {
  default(value: readonly T[number][]): z.ZodType<readonly T[number][]>
} {
  return z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(z.enum(members)).min(1).max(8),
  )
}

// Where each kind of credential may travel. What is not in a row cannot be configured, and for a reason:
// sessions and keys live long and have no place in a URL.
const ticketPlaces = ['query', 'first-message', 'subprotocol', 'bearer', 'basic'] as const
const sessionPlaces = ['cookie', 'frame-cookie', 'first-message'] as const
const tokenPlaces = ['bearer', 'subprotocol', 'first-message'] as const
const keyPlaces = ['bearer', 'basic', 'first-message'] as const

/** Of public keys alone: a shared secret in a configuration would be a key that signs. */
const algorithms = [
  'EdDSA',
  'Ed25519',
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
] as const

const accept = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('ticket'),
    from: oneOrMore(ticketPlaces).default(['query', 'first-message']),
  }),
  z.strictObject({ method: z.literal('session'), from: oneOrMore(sessionPlaces).default(['cookie']) }),
  z.strictObject({
    method: z.literal('jwt'),
    from: oneOrMore(tokenPlaces).default(['bearer', 'first-message']),
    /** Whose tokens; left out: the site's own. */
    issuer: z.string().min(1).max(2_048).optional(),
    jwks: z.url({ protocol: /^https?$/ }).optional(),
    algorithms: z.array(z.enum(algorithms)).min(1).optional(),
    audience: z.string().min(1).max(256).optional(),
    typ: z.string().min(1).max(64).optional(),
  }),
  z.strictObject({ method: z.literal('password'), from: oneOrMore(['basic'] as const).default(['basic']) }),
  z.strictObject({ method: z.literal('api_key'), from: oneOrMore(keyPlaces).default(['bearer']) }),
  z.strictObject({ method: z.literal('preauth') }),
  z.strictObject({ method: z.literal('wampcra') }),
  z.strictObject({
    method: z.literal('certificate'),
    /** PEM file of the authority whose certificates are taken, their common name being the subject. */
    authority: file.optional(),
    roles: z.array(role).max(32).default([]),
    /** SHA-256 fingerprints that need no authority. */
    fingerprints: z
      .record(
        z.string().regex(/^[0-9a-fA-F:]{64,95}$/, 'not a SHA-256 fingerprint'),
        z.strictObject({ subject, roles: z.array(role).max(32).default([]) }),
      )
      .default({}),
  }),
])

const count = z.int().min(1).max(1_000_000)

/** The library's limits that make sense in a file, between bounds within which a server still works. */
const limits = z.strictObject({
  deadlineMs: z.int().min(100).max(120_000).optional(),
  maxBytes: z.int().min(64).max(1_048_576).optional(),
  maxMessages: z.int().min(1).max(64).optional(),
  handshakesPerSecond: count.optional(),
  maxLeaseMs: z
    .int()
    .min(1_000)
    .max(30 * 86_400_000)
    .optional(),
  graceMs: z.int().min(0).max(600_000).optional(),
  pool: z
    .strictObject({
      total: count.optional(),
      perSource: count.optional(),
      perSubnet: count.optional(),
      talking: count.optional(),
    })
    .optional(),
})

/** Not kept: secrets stand in it. */
const writtenElsewhere = z
  .unknown()
  .transform(() => undefined)
  .optional()

const guard = z.strictObject({
  /** Also the audience of tickets and tokens. */
  name,
  /** An address of its own; left out: the site's, below `path`. */
  listen: listen.optional(),
  path: z
    .string()
    .regex(/^\/[\w./~-]{0,200}$/, 'a path begins with / and has no query')
    .default('/'),
  tls: tls.optional(),
  /** Where clients reach it, when that is not where it listens: behind a proxy. */
  url: z.url({ protocol: /^wss?$/ }).optional(),
  origins: origins.optional(),
  hosts: hosts.optional(),
  accept: z.array(accept).min(1).max(16).default([]),
  protocol: z.enum(['wamp']).optional(),
  // Of WAMP alone, and in the form of Crossbar.io: its own readers judge them.
  realms: writtenElsewhere,
  auth: writtenElsewhere,
  serializers: writtenElsewhere,
  cookie: writtenElsewhere,
  options: writtenElsewhere,
  refusals: z.enum(['auto', 'http', 'close']).default('auto'),
  limits: limits.optional(),
  /** How many connections one subject may have; left out: any number. */
  perSubject: z.strictObject({ most: count, whenFull: z.enum(['reject', 'replace']) }).optional(),
  application: z.enum(['echo']).default('echo'),
  dangerouslyAllowCleartext: z.boolean().default(false),
})

const challengeSecret = z.strictObject({
  authid: z.string().min(1).max(256),
  /** The secret in clear; better in `secretFile`. */
  secret: z.string().min(1).max(1_024).optional(),
  /** File whose first line is the secret, readable by its owner alone. */
  secretFile: file.optional(),
  subject: subject.optional(),
  roles: z.array(role).max(32).default([]),
  salting: z
    .strictObject({
      salt: z.string().min(1).max(256),
      iterations: z.int().min(1).max(10_000_000),
      keylen: z.int().min(16).max(64),
    })
    .optional(),
})

/** No blank: what the issuer names is called by both names, with a blank between them. */
const issuerName = z.string().regex(/^[\x21-\x7e]{1,512}$/, 'visible ASCII without blanks, at most 512')
const audienceName = z.string().min(1).max(256)

const issuer = z.strictObject({
  issuer: issuerName,
  jwks: z.url({ protocol: /^https?$/ }),
  algorithms: z.array(z.enum(algorithms)).min(1),
  /** One, or a list. */
  audience: z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(audienceName).min(1).max(16),
  ),
  logoutEnds: z.enum(['session', 'subject']).default('session'),
  subjectIssuers: z.array(issuerName).max(64).default([]),
  maxAgeMs: z
    .int()
    .min(1_000)
    .max(7 * 86_400_000)
    .default(120_000),
  dangerouslyAllowUntyped: z.boolean().default(false),
  dangerouslyAllowWithoutExpiry: z.boolean().default(false),
})

/** A whole configuration. */
export const configSchema: z.ZodType<ConfigText> = z.strictObject({
  store: file.default('countersign.db'),
  keyFile: file.optional(),
  tokenKeyFile: file.optional(),
  site: z.strictObject({
    listen,
    tls: tls.optional(),
    /** Where browsers reach it, when that is not where it listens: behind a proxy. */
    url: z.url({ protocol: /^https?$/ }).optional(),
    /** Further origins whose pages may log in and ask for credentials. */
    origins: origins.default([]),
    dangerouslyAllowCleartext: z.boolean().default(false),
  }),
  proxies: z
    .strictObject({
      trusted: z.array(z.string().max(64)).min(1).max(100),
      header: z.enum(['x-forwarded-for', 'forwarded']).default('x-forwarded-for'),
    })
    .optional(),
  guards: z.array(guard).min(1).max(64),
  issuers: z.array(issuer).max(64).default([]),
  challengeSecrets: z.array(challengeSecret).max(10_000).default([]),
})

/** `host:port`, the host of IPv6 in brackets. */
function parseListen(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  return host === undefined || port > 65_535 || digits === '' ? undefined : { host, port }
}
