/**
 * Where the WAMP methods find their principals: static lists, authenticators (procedures and functions), the account
 * database. A method asks its sources in order; the first that knows somebody decides.
 */
import { consult } from '../core/ask.ts'
import type { HelloCredential, JoinRequest } from '../core/credential.ts'
import type { Talk } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import type { Shown } from '../core/method.ts'
import type { Source, SourceQuestion } from '../core/ports.ts'
import { grantOf } from '../core/rows.ts'
import { sharedRoles } from '../core/shared-roles.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'
import type { Answered } from './wamp-answer.ts'
import type { Who } from './wamp-who.ts'

/** What a question for the account database needs besides. */
export interface Surroundings {
  readonly shown: Shown
  /** What is being answered. */
  readonly question: SourceQuestion
  /** The name that wants to log in; empty where the method finds it out. */
  readonly name: string
}

/**
 * One source of one method. It has a conversation of its own: static lists ask nothing, the account database asks the
 * records. `undefined`: not known here; `denied`: known not to be let in, no other source is asked.
 */
export interface PrincipalSource<Found, Shape> {
  find(around: Surroundings): Talk<Found | 'denied' | undefined>
  /** Shapes of challenges that its principals get, at most 16: those of unknown names are drawn from them. */
  shapes(): Talk<readonly Shape[]>
}

/** The account database of the guard's records, as a source; see `accounts`. */
export interface Accounts {
  readonly kind: 'accounts'
}

const theAccounts: Accounts = Object.freeze({ kind: 'accounts' })

/**
 * The account database as a source: challenge secrets (login-bound ones too) for WAMP-CRA and SCRAM; SCRAM keys and
 * public keys of accounts for SCRAM and cryptosign; passwords of accounts and Countersign's own tickets for the method
 * `ticket`.
 */
export function accounts(): Accounts {
  return theAccounts
}

/** A procedure or a function that knows principals; see `dynamicAuthenticator`, `functionAuthenticator`. */
export interface Authenticator {
  readonly kind: 'authenticator'
  readonly provider: 'dynamic' | 'function'
  /** Role of those of whom it names none; `undefined`: the method's. */
  readonly defaultRole: string | undefined
  /** Wrapped, because an answer may be any text. */
  readonly source: Source<{ readonly value: unknown }>
}

/** What the `sources` option of a method takes. */
export type SourceOption<Found, Shape> = PrincipalSource<Found, Shape> | Accounts | Authenticator

/** How a method makes sources of its own kind out of what is not yet one. */
export interface SourceMaker<Found, Shape> {
  /** The account database; `undefined` where it knows nothing for this method. */
  readonly accounts: PrincipalSource<Found, Shape> | undefined
  /**
   * Reads an authenticator's answer.
   * @returns `undefined` for somebody whom it does not know
   * @throws MisuseError, which refuses as `internal`, for an answer that breaks the contract
   */
  read(answered: Answered): Found | undefined
  /** Shape that somebody's challenge has; `undefined` where all look alike. */
  shapeOf?(found: Found): Shape
}

/**
 * The sources of one method, each in its conversational form.
 * @throws MisuseError for none at all, or for accounts where the method has none
 */
export function sourcesOf<Found, Shape>(
  options: readonly SourceOption<Found, Shape>[],
  make: SourceMaker<Found, Shape>,
): readonly PrincipalSource<Found, Shape>[] {
  if (options.length === 0) throw new MisuseError('invalid_option', 'sources: at least one is needed')
  return options.map((option) => {
    if (!('kind' in option)) return option
    if (option.kind === 'authenticator') return authenticated(option, make)
    if (make.accounts === undefined) {
      throw new MisuseError('invalid_option', 'sources: the account database knows nothing for this method')
    }
    return make.accounts
  })
}

/** Shapes kept of one source; drawing from few is drawing steadily. */
const maxShapes = 16

/** An authenticator has no list: the shapes of those whom it has found stand in for one. */
function authenticated<Found, Shape>(
  authenticator: Authenticator,
  make: SourceMaker<Found, Shape>,
): PrincipalSource<Found, Shape> {
  const seen = new Map<string, Shape>()
  return {
    *find({ question }) {
      const answer = yield* consult(authenticator.source, question)
      if (answer === undefined || answer === 'denied') return answer
      const found = make.read({ ...authenticator, value: answer.value, question })
      const shape = found === undefined || seen.size >= maxShapes ? undefined : make.shapeOf?.(found)
      if (shape !== undefined) seen.set(JSON.stringify(shape), shape)
      return found
    },
    // oxlint-disable-next-line require-yield -- every source is a conversation; this answer is at hand
    *shapes() {
      return [...seen.values()]
    },
  }
}

/** A source over a list that is at hand. */
export function listed<Found, Shape>(
  find: (around: Surroundings) => Found | undefined,
  shapes: readonly Shape[],
): PrincipalSource<Found, Shape> {
  const few = shapes.slice(0, maxShapes)
  return {
    // oxlint-disable-next-line require-yield -- every source is a conversation; this one has nothing to ask
    *find(around) {
      return find(around)
    },
    // oxlint-disable-next-line require-yield -- see above
    *shapes() {
      return few
    },
  }
}

/** The first source's answer that is one. A denial is nobody, and ends the search. */
export function* lookUp<Found, Shape>(
  sources: readonly PrincipalSource<Found, Shape>[],
  around: Surroundings,
): Talk<Found | undefined> {
  for (const source of sources) {
    const found = yield* source.find(around)
    if (found === 'denied') return undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** The shapes of all sources, in their order. */
export function* shapesOf<Shape>(
  sources: readonly PrincipalSource<unknown, Shape>[],
): Talk<readonly Shape[]> {
  const shapes: Shape[] = []
  for (const source of sources) shapes.push(...(yield* source.shapes()))
  return shapes
}

/** What sources are asked about an opening, with what the method adds to the details. */
export function aroundOf(
  shown: Shown,
  hello: HelloCredential,
  about: { readonly method: string; readonly details?: Readonly<Record<string, unknown>> },
): Surroundings {
  return { shown, name: hello.authid ?? '', question: new Question(hello, about.method, about.details) }
}

/** Static lists and the account database never look at the details: they are put together when somebody does. */
class Question implements SourceQuestion {
  readonly method: string
  readonly realm: string | undefined
  readonly authid: string | undefined
  readonly #join: JoinRequest | undefined
  readonly #added: SourceQuestion['details'] | undefined

  constructor(hello: HelloCredential, method: string, added: SourceQuestion['details'] | undefined) {
    this.method = method
    this.realm = hello.join?.realm
    this.authid = hello.authid
    this.#join = hello.join
    this.#added = added
  }

  get details(): SourceQuestion['details'] {
    const join = this.#join
    return {
      session: join?.session ?? null,
      transport: join?.transport ?? {},
      authmethod: this.method,
      authextra: join?.authextra ?? {},
      ...this.#added,
    }
  }
}

/** How an acceptance is told. */
export interface Admission {
  readonly shown: Shown
  readonly hello: HelloCredential
  /** Name of the method on the wire. */
  readonly method: string
  /** When the last proof came, ms since the epoch. */
  readonly now: number
  readonly defaultRole: string | undefined
  /** What the method itself tells the peer in `authextra`. */
  readonly authextra?: Readonly<Record<string, unknown>>
}

/**
 * The acceptance of somebody whose proof was right: not too late, with a role, and spent if it is for one use. Nothing
 * of the client's own `authextra` is in it.
 */
export function* admit(who: Who, how: Admission): Talk<Verdict> {
  if (who.untilMs <= how.now) return deny('expired_credential')
  const { authid } = who
  const roles = who.roles.length === 0 && how.defaultRole !== undefined ? [how.defaultRole] : who.roles
  // A plain socket may do without; a WAMP session has exactly one role.
  if (roles.length === 0 && how.hello.join !== undefined) return deny('no_such_role')
  if (who.spend !== undefined && !(yield* who.spend())) return deny('invalid_credential')
  const subject = who.subject ?? authid
  const extra =
    who.extra === undefined && how.authextra === undefined ? undefined : { ...who.extra, ...how.authextra }
  return accept({
    principal: {
      id: subject,
      roles: sharedRoles(roles),
      realm: who.realm,
      method: how.method,
      provider: who.provider,
      claims: extra === undefined ? { authid } : { authid, authextra: extra },
    },
    grant: who.grant ?? grantOf({ subject, roles: sharedRoles(roles), issuedAtMs: how.shown.now }),
    untilMs: who.untilMs,
    lease: who.lease,
  })
}
