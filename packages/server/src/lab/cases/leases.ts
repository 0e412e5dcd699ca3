/** What becomes of an open socket: one set of rows at every door, each played with a throw-away account. */
import type { DoorId, Ending, LabCase, Need, Obtainable, Step } from '../browser/case.ts'
import { closed, dismissed, goodbye, stays, type Outcome } from '../browser/outcome.ts'
import { connect, joinAndStay, row } from './write.ts'

/** How a door is opened and what its leases rest upon. */
interface LeaseDoor {
  readonly door: DoorId
  /** What the throw-away account shows. */
  readonly what: Obtainable
  /** Opens the door and stays. */
  readonly open: readonly Step[]
  /** Why a lease here does not end with a login. @default it does */
  readonly noLogin?: string
  /** Why no credential over HTTP extends it. @default one does */
  readonly noRefresh?: string
  /** What a refused refresh leaves to do, as the rest of a sentence. @default to connect again in time */
  readonly instead?: string
  /** What is shown over HTTP, for the sentence about it. @default one fresh credential */
  readonly shows?: string
  /** How it is shown on the open socket, where that is heard. */
  readonly inBand?: 'first-json' | 'challenge'
  /** What runs out here, for the sentence about the end. */
  readonly ends: string
  /** The case takes this browser's login cookie. */
  readonly alone?: boolean
  readonly needs?: Need
  /** How an end is told. @default by a close code and its reason */
  readonly told?: (reason: EndReason) => Outcome
}

/** Why leases end here. */
type EndReason = 'logged_out' | 'lease_expired' | 'revoked'

/** The same in the words of GOODBYE. */
const goodbyes: Readonly<Record<EndReason, string>> = {
  logged_out: 'wamp.close.logout',
  lease_expired: 'wamp.close.expired',
  revoked: 'wamp.close.killed',
}

/** Life of a lease that is ended by something else, ms. */
const longMs = 20_000
/** Life of a lease that runs out, ms: long enough for a busy machine to open the socket. */
const shortMs = 3_000
/** The same where nothing else runs. */
const aloneMs = 2_000

/** What is left where nothing refreshes. */
const again = '; connect again in time instead'

const hold = (at: Extract<Step, { kind: 'hold' }>['at']): readonly Step[] => [{ kind: 'hold', at, slot: 'a' }]

const oneUse = 'An answer to a challenge is made for one socket, so HTTP has nothing to show'
const onSocket = '; refresh on the open socket instead, as the next row does'

const leaseDoors: readonly LeaseDoor[] = [
  {
    door: 'D1',
    what: 'ticket',
    open: hold('first-json'),
    ends: 'what the ticket granted',
    inBand: 'first-json',
  },
  { door: 'D2', what: 'ticket', open: hold('query'), ends: 'what the ticket granted' },
  {
    door: 'D3',
    what: 'frame-ticket',
    open: [{ kind: 'exchange', slot: 'a' }, ...hold('nothing')],
    ends: 'the session behind the frame’s cookie',
  },
  { door: 'D4', what: 'ticket', open: hold('user-name'), ends: 'what the ticket granted' },
  {
    door: 'D5',
    what: 'api-key',
    open: hold('program'),
    ends: 'the API key',
    noLogin: 'an API key is the machine’s own and descends from no login. Revoke the key or its holder.',
  },
  { door: 'D6', what: 'ticket', open: hold('subprotocol'), ends: 'what the ticket granted' },
  {
    door: 'D7',
    what: 'session',
    open: hold('nothing'),
    ends: 'the session of the site',
    shows:
      'The site renews the cookie, and the request brings it along: its body names no credential, and no script has read one. That',
    alone: true,
  },
  { door: 'D8', what: 'alias', open: hold('first-text'), ends: 'the alias of the session' },
  {
    door: 'D9',
    what: 'csrf',
    open: hold('csrf'),
    ends: 'what the pair granted',
    shows: 'A fresh CSRF token, shown over HTTP with its cookie beside it,',
  },
  { door: 'D10', what: 'url', open: hold('url'), ends: 'what the URL granted' },
  {
    door: 'D11',
    what: 'url',
    open: hold('certificate'),
    ends: 'the longest lease that the server grants here',
    noLogin:
      'a certificate descends from no login, so no logout reaches it. Revoke the certificate or its holder.',
    noRefresh:
      'A certificate is shown in the TLS handshake and nowhere else, and no lease by it may outlive it',
    needs: 'client-certificate',
  },
  {
    door: 'D12',
    what: 'login-secret',
    open: hold('challenge'),
    ends: 'the secret',
    noLogin: 'the secret belongs to the account, not to one login of it. At D13 it does.',
    noRefresh: oneUse,
    instead: onSocket,
    inBand: 'challenge',
  },
  {
    door: 'D13',
    what: 'login-secret',
    open: hold('challenge'),
    ends: 'the secret of this login',
    noRefresh: oneUse,
    instead: onSocket,
    inBand: 'challenge',
  },
  {
    door: 'D14',
    what: 'ticket',
    open: [connect('ticket', { stays: true })],
    ends: 'what the ticket granted',
    inBand: 'first-json',
    told: dismissed,
  },
  {
    door: 'D15',
    what: 'ticket',
    open: [joinAndStay('ticket', 'call-and-count')],
    ends: 'what the ticket granted',
    noRefresh: 'WAMP asks for its ticket in a conversation of its own, which HTTP does not have',
    instead:
      '. A client that says x_rechallenge in HELLO is challenged again on its session. The one here, as it is published, cannot say that, and would take the CHALLENGE for a breach of the protocol: connect again in time',
    told: (reason) => goodbye(goodbyes[reason]),
  },
]

function rowsOf(at: LeaseDoor): readonly LabCase[] {
  return [logOutRow(at), expireRow(at), refreshRow(at), ...inBandRows(at), revokeRow(at), roleRow(at)]
}

function logOutRow(at: LeaseDoor): LabCase {
  const expected = at.noLogin === undefined ? end(at, 'logged_out') : stays
  return lease(at, ['logout-elsewhere', 'Its login is logged out elsewhere', expected], {
    steps: ended(at, 'log-out'),
    why:
      at.noLogin === undefined
        ? 'The lease rests on the login. Whichever tab or program logs out, every socket that the login opened is closed at once.'
        : `Stays open: ${at.noLogin}`,
  })
}

function expireRow(at: LeaseDoor): LabCase {
  return lease(at, ['expire', 'Lets its lease run out', end(at, 'lease_expired')], {
    steps: [...opened(at, short(at)), { kind: 'watch', until: 'first-end' }],
    slow: true,
    check: 'nothing-late',
    why: `The lease ends with ${at.ends}. Numbered messages show that nothing passes once it is over, and half a second of grace with it.`,
  })
}

function refreshRow(at: LeaseDoor): LabCase {
  const granted = at.noRefresh === undefined
  const expected = granted ? stays : end(at, 'lease_expired')
  const { shows = 'A fresh credential of the same holder, shown over HTTP,', instead = again } = at
  return lease(at, ['refresh', granted ? 'Refreshes over HTTP' : 'Tries to refresh over HTTP', expected], {
    steps: [
      ...opened(at, short(at)),
      { kind: 'refresh', lifeMs: longMs, granted },
      { kind: 'watch', until: 'first-end' },
    ],
    slow: true,
    why: granted
      ? `${shows} passes the same guard as the first one. The socket outlives its first end and notices nothing.`
      : `${at.noRefresh ?? ''}. The refresh is refused, and the lease ends when it said${instead}.`,
  })
}

function inBandRows(at: LeaseDoor): readonly LabCase[] {
  const { inBand } = at
  if (inBand === undefined) return []
  return [
    lease(at, ['refresh-in-band', 'Refreshes on the socket', stays], {
      steps: [
        ...opened(at, short(at)),
        { kind: 'renew', at: inBand, lifeMs: longMs },
        { kind: 'watch', until: 'first-end' },
      ],
      slow: true,
      why: at.door === 'D14' ? byEvent : inBandWhys[inBand],
    }),
  ]
}

const inBandWhys = {
  'first-json':
    'The server says auth_expiring before the end. The client sends auth with a fresh ticket, as its first frame was, and auth_ok says how long the lease holds now. The application sees none of that and goes on.',
  challenge:
    'The server says auth_expiring before the end. The client sends hello, is challenged anew on the socket that is open, and answers; here with a secret that lives longer. The application sees none of that and goes on.',
} as const

const byEvent =
  'Clients whose auth says expiring hear auth_expiring before the end. The event auth with a fresh ticket is the guard’s own: no row names it, no listener hears it, and its acknowledgement says how long the lease holds now.'

function revokeRow(at: LeaseDoor): LabCase {
  return lease(at, ['revoke', 'Is revoked by the operator', end(at, 'revoked')], {
    steps: ended(at, 'revoke'),
    why: 'POST /countersign/revoke with a key of scope revoke, which the lab’s server holds and no page does. A revocation has no grace.',
  })
}

function roleRow(at: LeaseDoor): LabCase {
  return lease(at, ['role-removed', 'Its account loses a role', end(at, 'revoked')], {
    steps: ended(at, 'remove-role'),
    why: 'What was opened with the former roles ends, so no socket keeps a right that its account has lost. Whoever reconnects has the roles of now.',
  })
}

/** Opens, is ended from elsewhere, and is watched for a moment. */
function ended(at: LeaseDoor, by: Ending): readonly Step[] {
  return [...opened(at, longMs), { kind: 'end', by }, { kind: 'watch', until: 'a-moment' }]
}

function short({ alone = false }: LeaseDoor): number {
  return alone ? aloneMs : shortMs
}

function opened({ what, open }: LeaseDoor, lifeMs: number): readonly Step[] {
  return [{ kind: 'invite', what, lifeMs }, ...open]
}

function end({ told = closed }: LeaseDoor, reason: EndReason): Outcome {
  return told(reason)
}

function lease(
  { door, alone, needs }: LeaseDoor,
  [name, title, expected]: readonly [string, string, Outcome],
  text: Omit<Parameters<typeof row>[2], 'alone' | 'needs'>,
): LabCase {
  return row(`${door}.${name}`, [title, expected], {
    ...text,
    ...(alone === undefined ? {} : { alone }),
    ...(needs === undefined ? {} : { needs }),
  })
}

/** The rows about leases of a door. */
export function leaseCases(door: DoorId): readonly LabCase[] {
  return leaseDoors.filter((at) => at.door === door).flatMap(rowsOf)
}
