/** Bodies of requests: each route says what it takes, and takes nothing else. */
import { z } from 'zod'

/** What names a subject, an audience, a lease: bounded as the records are. */
const identifier = z.string().min(1).max(256)
const roles = z.array(z.string().min(1).max(64)).max(32)
const origin = z.string().min(1).max(512)

/** `POST /login`. Forms carry `csrf`; JSON clients need none. */
export interface LoginBody {
  readonly username: string
  readonly password: string
  readonly csrf?: string | undefined
}
/**
 * Shape of a login. Bounded, because the name is normalised and the password hashed before anything else is
 * known.
 */
export const loginBody: z.ZodType<LoginBody> = z.strictObject({
  username: z.string().max(256),
  password: z.string().max(1_024),
  csrf: z.string().max(256).optional(),
})

/** `POST /logout` */
export interface LogoutBody {
  readonly csrf?: string | undefined
}
/** Shape of a logout: JSON clients send nothing at all. */
export const logoutBody: z.ZodType<LogoutBody> = z.strictObject({ csrf: z.string().max(256).optional() })

/** Whom an API key with the scope `issue` asks for. */
export interface OnBehalf {
  readonly subject?: string | undefined
  readonly roles?: readonly string[] | undefined
}

/** `POST /countersign/ticket`; `origin` goes with `subject`: the page that shall use the ticket. */
export interface TicketBody extends OnBehalf {
  readonly audience: string
  readonly purpose?: 'connect' | 'frame' | undefined
  readonly origin?: string | undefined
}
/** Shape of a request for a ticket. Whether the audience is a door's is for the route to say. */
export const ticketBody: z.ZodType<TicketBody> = z.strictObject({
  audience: identifier,
  purpose: z.enum(['connect', 'frame']).optional(),
  subject: identifier.optional(),
  roles: roles.optional(),
  origin: origin.optional(),
})

/** `POST /countersign/connect` and `POST /countersign/token`. */
export interface AudienceBody extends OnBehalf {
  readonly audience?: string | undefined
}
/** Shape of a request for a single-use URL or a JWT. */
export const audienceBody: z.ZodType<AudienceBody> = z.strictObject({
  audience: identifier.optional(),
  subject: identifier.optional(),
  roles: roles.optional(),
})

/** `POST /countersign/preauth` and `POST /countersign/challenge-secret`; both are bound to the login, not to an audience. */
export interface SecretBody {
  readonly audience?: string | undefined
  readonly uses?: 'one' | 'session' | undefined
}
/** Shape of a request for a preauth pair or a challenge secret; an `audience` is read and has no effect. */
export const secretBody: z.ZodType<SecretBody> = z.strictObject({
  audience: identifier.optional(),
  uses: z.enum(['one', 'session']).optional(),
})

/**
 * `POST /countersign/leases/{id}/refresh`; `subject` only for API keys with the scope `issue`. Without `credential` the
 * cookie counts that came with the request.
 */
export interface RefreshBody {
  readonly credential?: string | undefined
  readonly subject?: string | undefined
}
/** Shape of a refresh: the credential as it would be shown at the door. */
export const refreshBody: z.ZodType<RefreshBody> = z.strictObject({
  credential: z.string().min(1).max(16_000).optional(),
  subject: identifier.optional(),
})

/** `POST /countersign/exchange` of the frame. */
export interface ExchangeBody {
  readonly ticket: string
  readonly origin: string
}
/** Shape of what the frame's module sends: the ticket, and the page that it says it got it from. */
export const exchangeBody: z.ZodType<ExchangeBody> = z.strictObject({ ticket: identifier, origin })

/** Reads a body; no body counts as an empty object. @returns `undefined` when it is not of this shape */
export function readBody<T>(shape: z.ZodType<T>, body: unknown): T | undefined {
  const parsed = shape.safeParse(asPlainObject(body))
  return parsed.success ? parsed.data : undefined
}

/** Parsed objects have no prototype; what is not an object is left for the shape to refuse. */
function asPlainObject(body: unknown): unknown {
  if (body === undefined || body === null) return {}
  return typeof body === 'object' && !Array.isArray(body) ? { ...body } : body
}
