/** The `auth` payload of a Socket.IO CONNECT, read as a first message is, and cleaned before the application sees it. */

/** Members beside `token` that may hold a credential, as in a first message. */
const otherMembers = ['access_token', 'ticket'] as const

/** What a client showed in `auth`. */
export interface Shown {
  /** As a first message has it, for the guard to read; `undefined`: no credential. Secret. */
  readonly message: string | undefined
  /** Names the session that is to be recovered. Secret. */
  readonly pid: string | undefined
  /** Whether the client wants to hear `auth_expiring`. */
  readonly expiring: boolean
}

/**
 * Reads a payload and removes from it, in place, what is secret, wanted or not. Total: what is no credential makes a
 * message that no guard accepts. Several tokens that do not agree are for the guard to refuse, as in a first message.
 */
export function takeAuth(auth: unknown): Shown {
  if (typeof auth !== 'object' || auth === null || Array.isArray(auth))
    return { message: undefined, pid: undefined, expiring: false }
  const message = takeMessage(auth)
  // By these Socket.IO names a session that is to be recovered: whoever knows them may take it over.
  const pid = take(auth, 'pid')
  take(auth, 'offset')
  return {
    message,
    pid: typeof pid === 'string' ? pid : undefined,
    expiring: Object.hasOwn(auth, 'expiring') && Reflect.get(auth, 'expiring') === true,
  }
}

function takeMessage(auth: object): string | undefined {
  const token = take(auth, 'token')
  let others: Record<string, unknown> | undefined
  for (const name of otherMembers) {
    const value = take(auth, name)
    if (!isEmpty(value)) others = { ...others, [name]: value }
  }
  if (others !== undefined) return authMessage('auth', isEmpty(token) ? others : { token, ...others })
  if (isEmpty(token)) return undefined
  // What nearly every client shows: the same text, without an object in between.
  return typeof token === 'string'
    ? `{"type":"auth","token":${JSON.stringify(token)}}`
    : authMessage('auth', { token })
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/** The words of the frames by which a plain socket authenticates; see `firstMessage` and `challengeFrames`. */
export type AuthWord = 'auth' | 'hello' | 'authenticate'

/** Such a frame; `type` first, where it is looked for. */
export function authMessage(type: AuthWord, members: object): string {
  const { type: _, ...rest } = { type: undefined, ...members }
  return JSON.stringify({ type, ...rest })
}

/** Removes an own member. Nothing is asked of an object that has none: a removal is slow, even of what is not there. */
function take(object: object, name: string): unknown {
  if (!Object.hasOwn(object, name)) return undefined
  const value: unknown = Reflect.get(object, name)
  Reflect.deleteProperty(object, name)
  return value
}
