/** Reads the configuration of an audit: who logs in how, what shows who one is, what may be tried. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { AuditOptions } from '../audit/options.ts'
import { place, schemaFindings, type PlacedFinding } from '../server/config-issues.ts'
import { readConfigText } from '../server/config-text.ts'

/** A configuration that was read. */
export interface AuditConfig {
  /** What is audited, where the command line names nothing. */
  readonly target: string | undefined
  /** The line of `target`, from 1: where code scanning shows findings. */
  readonly targetLine: number
  readonly options: AuditOptions
  /** A path of the configuration, as seen from its folder. */
  path(written: string): string
}

/** What reading answers. */
export type AuditConfigReading =
  | { readonly kind: 'config'; readonly config: AuditConfig }
  | { readonly kind: 'wrong'; readonly findings: readonly PlacedFinding[] }

type Environment = Readonly<Record<string, string | undefined>>

const maxBytes = 1_048_576

const text = z.string().max(8_192)
const pattern = text.refine(isPattern, 'is no regular expression')
const command = z.array(text).min(1).max(64)
const probe = z.union([text, z.record(z.string(), z.json())])
const method = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])

const tokenPlace = z.union([
  z.strictObject({ query: text }),
  z.strictObject({ header: text, value: text.optional() }),
  z.strictObject({ subprotocols: z.array(text).min(1).max(8) }),
  z.strictObject({ first: text }),
  z.strictObject({ payload: text }),
])

const token = z.strictObject({
  command: command.optional(),
  url: text.optional(),
  method: method.optional(),
  body: text.optional(),
  member: text.optional(),
  pattern: pattern.optional(),
  as: tokenPlace,
  singleUse: z.boolean().optional(),
})

const taken = z.union([z.strictObject({ member: text }), z.strictObject({ pattern })])

const certificate = z.strictObject({ cert: text, key: text })

const misdirected = token.omit({ as: true, singleUse: true }).extend({ name: z.string().min(1).max(64) })

const act = z.strictObject({
  command: command.optional(),
  url: text.optional(),
  method: method.optional(),
  body: text.optional(),
  headers: z.record(z.string(), text).optional(),
})

const hook = act.extend({ undo: act.optional() })

const canary = z.strictObject({
  name: z.string().min(1).max(64),
  send: probe,
  effect: pattern,
  seenBy: z.enum(['low', 'high', 'sender']).optional(),
  allowedFor: z.enum(['low', 'high']).optional(),
  undo: probe.optional(),
  watch: probe.optional(),
})

const resource = z.strictObject({
  name: z.string().min(1).max(64),
  of: z.enum(['low', 'high']),
  subscribe: probe,
  data: pattern,
  trigger: probe.optional(),
  history: probe.optional(),
  tamper: z.strictObject({ id: pattern.optional(), send: probe, harm: pattern }).optional(),
})

const sidePlace = z.strictObject({ name: text, allowedFor: z.enum(['anyone', 'low', 'high']).optional() })

const count = z.int().min(1)

const node = text.refine(
  (value) => /^wss?:/.test(value) && URL.canParse(value),
  'is no address that begins with ws:// or wss://',
)

/** A secret: written down, or the name of a variable that holds it. */
function secretOf(environment: Environment): z.ZodType<string> {
  const named = z.strictObject({ env: z.string().regex(/^\w{1,128}$/, 'the name of a variable') })
  return z.union([text, named]).transform((value, context): string => {
    const found = typeof value === 'string' ? value : environment[value.env]
    if (found !== undefined) return found
    context.addIssue('names a variable that is not set')
    return z.NEVER
  })
}

/** How one identity logs in. */
function loginSchema(secret: z.ZodType<string>) {
  return z.strictObject({
    cookie: secret.optional(),
    headers: z.record(z.string(), secret).optional(),
    basic: secret.optional(),
    form: z
      .strictObject({
        url: text,
        fields: z.record(z.string(), secret),
        csrf: text.optional(),
        json: z.boolean().optional(),
      })
      .optional(),
    steps: z
      .array(
        z.strictObject({
          url: text,
          method: method.optional(),
          headers: z.record(z.string(), secret).optional(),
          body: secret.optional(),
          take: z.record(z.string().regex(/^\w{1,64}$/, 'a name of letters and digits'), taken).optional(),
        }),
      )
      .max(16)
      .optional(),
    token: token.optional(),
    wamp: z
      .strictObject({
        authid: text,
        method: z.enum(['wampcra', 'ticket', 'tls']),
        secret: secret.optional(),
      })
      .optional(),
    tls: certificate.optional(),
  })
}

function schemaFor(environment: Environment) {
  const secret = secretOf(environment)
  const login = loginSchema(secret)
  return z.strictObject({
    target: text.optional(),
    protocol: z.enum(['plain', 'socket.io', 'wamp', 'graphql-transport-ws', 'graphql-ws']).optional(),
    origin: text.optional(),
    page: text.optional(),
    nodes: z.array(node).max(8).optional(),
    namespace: text.regex(/^\//, 'begins with /').optional(),
    realm: text.optional(),
    subprotocols: z.array(text).max(8).optional(),
    identities: z.strictObject({ low: login.optional(), high: login.optional() }).optional(),
    whoami: z.strictObject({ send: probe.optional(), expect: pattern }).optional(),
    private: z.array(pattern).max(50).optional(),
    public: z.boolean().optional(),
    canaries: z.array(canary).max(20).optional(),
    resources: z.array(resource).max(20).optional(),
    places: z.array(sidePlace).max(20).optional(),
    privilegedRole: text.optional(),
    nesting: z.strictObject({ query: text, field: text, leaf: text }).optional(),
    logFile: text.optional(),
    messages: z.array(probe).max(200).optional(),
    hooks: z
      .partialRecord(z.enum(['logout', 'expiry', 'password', 'disable', 'role', 'kill']), hook)
      .optional(),
    knownUsers: z.array(text).max(20).optional(),
    expiring: token
      .omit({ as: true, singleUse: true })
      .extend({
        as: tokenPlace.optional(),
        ttlMs: count.max(3_600_000),
        skewMs: z.int().min(0).max(60_000).optional(),
      })
      .optional(),
    misdirected: z.array(misdirected).max(10).optional(),
    jwks: z.strictObject({ url: text.optional(), file: text.optional() }).optional(),
    guessed: z.strictObject({ user: text, password: secret.optional() }).optional(),
    timing: z.boolean().optional(),
    timingPairs: z.int().min(50).max(2_000).optional(),
    tls: z.strictObject({ ca: text.optional(), cert: text.optional(), key: text.optional() }).optional(),
    only: z.array(text).max(100).optional(),
    skip: z.array(text).max(100).optional(),
    allowance: z
      .strictObject({
        maxOpen: count.max(20),
        maxConnections: count.max(10_000),
        maxBytes: count.max(1_073_741_824),
        maxMs: count.max(3_600_000),
      })
      .partial()
      .optional(),
    settleMs: count.max(30_000).optional(),
    silenceMs: count.max(120_000).optional(),
    headMs: count.max(120_000).optional(),
    deadPeerMs: count.max(300_000).optional(),
    endBudgetMs: count.max(120_000).optional(),
  })
}

/** The JSON Schema of a configuration as it is written. */
export function auditConfigSchema(): object {
  return z.toJSONSchema(schemaFor({}), { io: 'input', unrepresentable: 'any' })
}

/** Reads a YAML or JSON file. @throws an error of the file system when it cannot be read */
export function readAuditConfig(file: string, environment: Environment): AuditConfigReading {
  if (statSync(file).size > maxBytes)
    return {
      kind: 'wrong',
      findings: [{ level: 'error', path: [], at: '', line: 1, message: 'is over 1 MiB: no configuration' }],
    }
  return parseAuditConfig(file, readFileSync(file, 'utf8'), environment)
}

/** As `readAuditConfig`, of a text that stands for that file. */
export function parseAuditConfig(
  file: string,
  written: string,
  environment: Environment,
): AuditConfigReading {
  const reading = readConfigText(written)
  if (reading.kind === 'wrong') return reading
  const { values, places } = reading
  const parsed = schemaFor(environment).safeParse(values)
  if (!parsed.success) return { kind: 'wrong', findings: place(schemaFindings(parsed.error), places) }
  const folder = resolve(dirname(file))
  const path = (name: string): string => resolve(folder, name)
  const { target, tls, logFile, jwks, identities = {}, ...rest } = parsed.data
  const unreadable: PlacedFinding[] = []
  const readTls = (names: Names, ...at: readonly string[]): Readonly<Record<string, string>> => {
    const files = readTlsFiles(names, path)
    if (files.kind === 'read') return files.tls
    const finding = {
      level: 'error',
      path: [...at, 'tls', files.key],
      message: `${files.name} cannot be read`,
    } as const
    unreadable.push(...place([finding], places))
    return {}
  }
  const readLogin = (name: 'low' | 'high'): object => {
    const login = identities[name]
    if (login?.tls === undefined) return login === undefined ? {} : { [name]: login }
    return { [name]: { ...login, tls: readTls(login.tls, 'identities', name) } }
  }
  // The schema is the interface, member for member; zod writes `undefined` where the interface leaves a member out.
  const options = {
    ...rest,
    identities: { ...readLogin('low'), ...readLogin('high') },
    tls: readTls(tls ?? {}),
    ...(logFile === undefined ? {} : { logFile: path(logFile) }),
    ...(jwks === undefined ? {} : { jwks: jwks.file === undefined ? jwks : { file: path(jwks.file) } }),
  } as AuditOptions
  if (unreadable.length > 0) return { kind: 'wrong', findings: unreadable }
  return { kind: 'config', config: { target, targetLine: places.lineOf(['target']), options, path } }
}

type Names = Readonly<Record<string, string | undefined>>

type TlsFiles =
  | { readonly kind: 'read'; readonly tls: Readonly<Record<string, string>> }
  | { readonly kind: 'unreadable'; readonly key: string; readonly name: string }

function readTlsFiles(names: Names, path: (name: string) => string): TlsFiles {
  const tls: Record<string, string> = {}
  for (const [key, name] of Object.entries(names)) {
    if (name === undefined) continue
    try {
      tls[key] = readFileSync(path(name), 'utf8')
    } catch {
      return { kind: 'unreadable', key, name }
    }
  }
  return { kind: 'read', tls }
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source).source !== ''
  } catch {
    return false
  }
}
