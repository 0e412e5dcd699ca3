/** Tickets of WAMP: a password, a one-time code, a token, shown when the router asks for it. */
import { attempt, attempted, findAccount, hash, hear, takeTicket, verifyPassword } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { MisuseError, OutageError } from '../core/errors.ts'
import { prefixes } from '../core/issue.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import { grantOf, ticketGrant } from '../core/rows.ts'
import { sameText } from '../core/same-text.ts'
import { deny, type Verdict } from '../core/verdict.ts'
import { normaliseUsername } from './password.ts'
import { whoOf } from './wamp-answer.ts'
import {
  accounts,
  admit,
  aroundOf,
  listed,
  lookUp,
  sourcesOf,
  type PrincipalSource,
  type SourceMaker,
  type SourceOption,
  type Surroundings,
} from './wamp-source.ts'
import { plainWho, staticWho, type Who } from './wamp-who.ts'

/** Options of the WAMP ticket method. */
export interface WampTicketOptions {
  /** Where the conversation opens: `wampBearer()`. The ticket works for whoever overhears it. */
  readonly from: From
  /** Who judges the ticket, in this order. A source that does not take it leaves it to the next one. @default [accounts()] */
  readonly sources?: readonly SourceOption<Who, never>[]
  /** Role of those who have none. @default none: they cannot join a realm */
  readonly defaultRole?: string
}

/** Characters of a name by which its failures are counted. */
const maxTallied = 64

/** Longest ticket that is judged, characters: a JWT with room to spare. */
const maxTicket = 16_384

/**
 * Accepts whoever shows the ticket that a source has for the name (WAMP, advanced profile, "Ticket-based
 * Authentication"). An unknown name, a wrong ticket and a spent one are all `invalid_credential`; the lockout decides
 * before anybody is asked for theirs. With `accounts()` the guard needs a password hasher.
 * @throws MisuseError without any source
 */
export function wampTicket(options: WampTicketOptions): Method {
  const sources = sourcesOf(options.sources ?? [accounts()], ticketSources)
  return {
    name: 'ticket',
    from: placesOf(options.from),
    csrf: undefined,
    needs: sources.includes(accountSource) ? ['passwords'] : [],
    recognises: (credential) => credential.kind === 'hello' && credential.methods.includes('ticket'),
    *judge(shown: Shown): Talk<Verdict> {
      const hello = shown.credential
      if (hello.kind !== 'hello') return deny('invalid_credential')
      if (hello.authid === undefined) return deny('missing_credential')
      const identity = normaliseUsername(hello.authid).slice(0, maxTallied)
      const address = shown.handshake.remoteAddress
      const waitMs = yield* attempt(identity, address)
      if (waitMs > 0) return deny('too_many_attempts', waitMs)
      const heard = yield* hear({ method: 'ticket', extra: {} })
      // Sources judge at the time of the answer: a ticket does not live longer for being shown slowly.
      const around = aroundOf({ ...shown, now: heard.now }, hello, {
        method: 'ticket',
        details: { ticket: heard.text.slice(0, maxTicket + 1) },
      })
      const found = heard.text.length > maxTicket ? undefined : yield* lookUp(sources, around)
      const lateMs = yield* attempted(identity, address, found !== undefined)
      if (lateMs > 0) return deny('too_many_attempts', lateMs)
      if (found === undefined) return deny('invalid_credential')
      const { defaultRole } = options
      return yield* admit(found, { shown, hello, method: 'ticket', now: heard.now, defaultRole })
    },
  }
}

/** A principal as configurations write it. */
export interface TicketPrincipal {
  readonly ticket: string
  readonly role?: string
  /** The name that the session gets. @default the one under which the principal is listed */
  readonly authid?: string
}

/**
 * Principals of a configuration, by the name that they log in with.
 * @throws MisuseError for an empty ticket
 */
export function ticketPrincipals(
  principals: Readonly<Record<string, TicketPrincipal>>,
): PrincipalSource<Who, never> {
  const list = new Map(Object.entries(principals))
  for (const { ticket } of list.values()) {
    if (ticket === '') throw new MisuseError('invalid_option', 'ticketPrincipals: a ticket is empty')
  }
  return listed(({ name, question: { details } }) => {
    const principal = list.get(name)
    // Compared for unknown names too; a wrong one goes on to the next source, as an unknown name does.
    const same = sameText(String(details['ticket']), principal?.ticket ?? unknownTicket)
    if (!same || principal === undefined) return undefined
    const { role, authid = name } = principal
    return staticWho(authid, role)
  }, [])
}

const unknownTicket = 'x'.repeat(32)

/** Passwords of accounts, and Countersign's own tickets: those are told apart by their public prefix. */
const accountSource: PrincipalSource<Who, never> = {
  *find(around) {
    const text = String(around.question.details['ticket'])
    return yield* text.startsWith(prefixes.ticket) ? ownTicket(text, around) : password(text, around)
  },
  // oxlint-disable-next-line require-yield -- every source is a conversation; challenges here have no shape
  *shapes() {
    return []
  },
}

/** Taken before anything about it is checked, as at every door; it opens for its own subject alone. */
function* ownTicket(text: string, { shown, name }: Surroundings): Talk<Who | undefined> {
  const row = yield* takeTicket(yield* hash(text))
  if (row === undefined || row.purpose !== 'connect' || row.audience !== shown.audience) return undefined
  if (row.origin !== undefined && row.origin !== shown.handshake.origin) return undefined
  if (row.subject !== name || row.expiresAtMs <= shown.now) return undefined
  const { subject, roles, lease, leaseUntilMs: untilMs } = row
  const grant = ticketGrant(row)
  return { ...plainWho, authid: subject, subject, roles, provider: 'records', grant, untilMs, lease }
}

/** One argon2id verification, whoever asks. */
function* password(text: string, { shown, name }: Surroundings): Talk<Who | undefined> {
  const username = normaliseUsername(name)
  const who = { identity: username.slice(0, maxTallied), source: shown.handshake.remoteAddress }
  const row = yield* findAccount(username)
  const stored = row === undefined || row.disabled ? undefined : row.passwordHash
  const outcome = yield* verifyPassword(who, text, stored)
  if (outcome === 'busy')
    throw new OutageError('overloaded', 'wampTicket: too many passwords wait to be judged')
  if (outcome !== 'right' || row === undefined || row.disabled) return undefined
  const { roles, username: subject } = row
  const grant = grantOf({ subject, roles, issuedAtMs: shown.now })
  return { ...plainWho, authid: subject, subject, roles, provider: 'accounts', grant }
}

const ticketSources: SourceMaker<Who, never> = { accounts: accountSource, read: whoOf }
