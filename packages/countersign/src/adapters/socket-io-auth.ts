/** The `auth` payload of a Socket.IO CONNECT, read as a first message is, and cleaned before the application sees it. */

/** Members that may hold a credential, as in a first message. */
const tokenMembers = ['token', 'access_token', 'ticket'] as const

/** Members by which Socket.IO names a session that is to be recovered: whoever knows them may take it over. */
const recoveryMembers = ['pid', 'offset'] as const

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
  const shown: Record<string, unknown> = {}
  for (const name of tokenMembers) {
    const value = own(auth, name)
    if (value !== undefined && value !== null && value !== '') shown[name] = value
  }
  const pid = own(auth, 'pid')
  const expiring = own(auth, 'expiring') === true
  for (const name of [...tokenMembers, ...recoveryMembers]) Reflect.deleteProperty(auth, name)
  return {
    message: Object.keys(shown).length === 0 ? undefined : authMessage('auth', shown),
    pid: typeof pid === 'string' ? pid : undefined,
    expiring,
  }
}

/** The words of the frames by which a plain socket authenticates; see `firstMessage` and `challengeFrames`. */
export type AuthWord = 'auth' | 'hello' | 'authenticate'

/** Such a frame; `type` first, where it is looked for. */
export function authMessage(type: AuthWord, members: object): string {
  const { type: _, ...rest } = { type: undefined, ...members }
  return JSON.stringify({ type, ...rest })
}

function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined
}
