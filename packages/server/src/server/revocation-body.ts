/** What `POST /countersign/revoke` and the command line name, as the library takes it. */
import { addressRules, type RevokeOptions, type RevokeTerms } from 'countersign'
import { z } from 'zod'

/** What can be revoked, as HTTP and the command line call it, and what the library calls it. */
export const revocable = {
  subject: 'subject',
  session: 'session',
  token: 'token',
  lease: 'lease',
  api_key: 'apiKey',
  role: 'role',
  certificate: 'certificate',
  serial: 'serial',
  issuer: 'issuer',
  address: 'address',
  origin: 'origin',
} as const

/** One of the names. */
export type Revocable = keyof typeof revocable

/** A revocation, ready for `guard.revoke`. */
export interface Wanted {
  readonly what: RevokeOptions
  readonly reason: 'revoked' | 'logged_out'
  readonly terms: RevokeTerms
}

/** Whether this is one of the names. */
export function isRevocable(name: string): name is Revocable {
  return Object.hasOwn(revocable, name)
}

/** The library's options for one name and its value; `undefined` for an address that is none. */
export function optionsOf(name: Revocable, value: string): RevokeOptions | undefined {
  if (name === 'address' && addressRules.normalise(value) === undefined) return undefined
  // One member of the union; which one, the table says.
  return { [revocable[name]]: value } as RevokeOptions
}

const value = z.string().min(1).max(512)
const names = Object.keys(revocable).filter(isRevocable)

/** `POST /countersign/revoke`. */
export type RevokeBody = { readonly [name in Revocable]?: string | undefined } & {
  /** Seconds until open sockets end. */
  readonly margin?: number | undefined
  readonly reason?: 'revoked' | 'logged_out' | undefined
  /** RFC 3339: spares what was issued later; alone, everything that was issued until then is revoked. */
  readonly issued_before?: string | undefined
}

/** Shape of a revocation: exactly one name, or `issued_before` alone. */
export const revokeBody: z.ZodType<RevokeBody> = z
  .strictObject({
    // The table has every name; entries lose their names' types.
    ...(Object.fromEntries(names.map((name) => [name, value.optional()])) as Record<
      Revocable,
      z.ZodOptional<typeof value>
    >),
    margin: z.number().min(0).max(3_600).optional(),
    reason: z.enum(['revoked', 'logged_out']).optional(),
    issued_before: z.iso.datetime({ offset: true }).max(40).optional(),
  })
  .refine((body) => {
    const given = names.filter((name) => body[name] !== undefined).length
    return given === 1 || (given === 0 && body.issued_before !== undefined)
  })

/** The revocation that a body stands for; `undefined` for an address that is none. */
export function wantedBy(body: RevokeBody): Wanted | undefined {
  const { margin = 0, reason = 'revoked', issued_before: instant } = body
  const beforeMs = instant === undefined ? undefined : Date.parse(instant)
  const marginMs = Math.round(margin * 1_000)
  for (const name of names) {
    const text = body[name]
    if (text === undefined) continue
    const what = optionsOf(name, text)
    const spared = beforeMs === undefined ? {} : { issuedBeforeMs: beforeMs }
    return what && { what, reason, terms: { marginMs, ...spared } }
  }
  return { what: { issuedBefore: beforeMs ?? 0 }, reason, terms: { marginMs } }
}
