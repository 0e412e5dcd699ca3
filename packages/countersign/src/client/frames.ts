/** What Countersign itself says on a socket, as a client reads it. */

/** A frame of the server's. */
export type ServerFrame =
  | { readonly kind: 'challenge'; readonly method: unknown; readonly extra: unknown }
  | {
      readonly kind: 'auth_ok'
      readonly leaseMs: number | undefined
      readonly lease: string | undefined
      readonly extra: unknown
    }
  | { readonly kind: 'auth_invalid'; readonly reason: string }
  | { readonly kind: 'auth_expiring'; readonly inMs: number }

/** Servers write `type` first. Every other message is the application's, unread. */
const ours = /^\{"type":"(challenge|auth_ok|auth_invalid|auth_expiring)"/
const maxLength = 16_384

/** Reads a text message. `undefined`: it is none of ours. */
export function parseFrame(data: unknown): ServerFrame | undefined {
  if (typeof data !== 'string' || data.length > maxLength) return undefined
  const kind = ours.exec(data)?.[1]
  if (kind === undefined) return undefined
  const { type, method, extra, expires_in, lease, reason, in: seconds } = membersOf(data)
  if (type === undefined) return undefined
  switch (kind) {
    case 'challenge':
      return { kind, method, extra }
    case 'auth_ok':
      return { kind, leaseMs: msOf(expires_in), lease: typeof lease === 'string' ? lease : undefined, extra }
    case 'auth_invalid':
      return { kind, reason: typeof reason === 'string' ? reason.slice(0, 64) : '' }
    default:
      return { kind: 'auth_expiring', inMs: msOf(seconds) ?? 0 }
  }
}

/** The members of an object of JSON; of anything else none. */
export function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Seconds, as frames say them, in ms. */
function msOf(seconds: unknown): number | undefined {
  return typeof seconds === 'number' && seconds >= 0 ? seconds * 1_000 : undefined
}
