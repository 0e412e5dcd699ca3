/** Sessions of nobody in particular: WAMP's `anonymous`, on transports that are configured to allow it. */
import { random } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import { deny, type Verdict } from '../core/verdict.ts'
import { whoOf } from './wamp-answer.ts'
import { admit, aroundOf, listed, lookUp, sourcesOf, type Authenticator } from './wamp-source.ts'
import { plainWho, type Who } from './wamp-who.ts'

/** Options of the anonymous method. */
export interface AnonymousOptions {
  /** Where the conversation opens: `wampHello()`. */
  readonly from: From
  /** Role of every session; with `authenticators`, of those to whom they give none. @default 'anonymous' */
  readonly role?: string
  /** Name of every session. @default a fresh random one for each */
  readonly authid?: string
  /** Realm that every session is sent to. @default the one that it asks for */
  readonly realm?: string
  /** Who decides instead. @default nobody: everyone may join */
  readonly authenticators?: readonly Authenticator[]
}

/**
 * Accepts everyone, or whom the authenticators let in; what the client says about itself counts for nothing. Grants only
 * what the role may do: a transport on which this is not configured refuses `anonymous`.
 */
export function anonymous(options: AnonymousOptions): Method {
  const { role = 'anonymous', authid, realm, authenticators } = options
  const everyone = { ...plainWho, roles: [role], realm, provider: 'static' }
  const anyone = listed<Who, never>(({ name }) => ({ ...everyone, authid: name }), [])
  const sources = sourcesOf(authenticators ?? [anyone], { accounts: undefined, read: whoOf })
  return {
    name: 'anonymous',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'hello' && credential.methods.includes('anonymous'),
    *judge(shown: Shown): Talk<Verdict> {
      if (shown.credential.kind !== 'hello') return deny('invalid_credential')
      // Never the name that was asked for: it would be somebody's.
      const hello = { ...shown.credential, authid: authid ?? (yield* random(15)) }
      const about = { method: 'anonymous' }
      const who = yield* lookUp(sources, aroundOf(shown, hello, about))
      if (who === undefined) return deny('invalid_credential')
      return yield* admit(who, { shown, hello, ...about, now: shown.now, defaultRole: role })
    },
  }
}
