/** What becomes of an open socket: one set of rows at every door, each played with a throw-away account. */
import type { DoorId, Ending, LabCase, Need, Obtainable, Step } from '../browser/case.ts'
import { closed, goodbye, stays, type Outcome } from '../browser/outcome.ts'
import { joinAndStay, row } from './write.ts'

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
  /** What runs out here, for the sentence about the end. */
  readonly ends: string
  /** The case takes this browser's login cookie. */
  readonly alone?: boolean
  readonly needs?: Need
  /** The words of GOODBYE in place of a close code. */
  readonly wamp?: boolean
}

/** Life of a lease that is ended by something else, ms. */
const longMs = 20_000
/** Life of a lease that runs out, ms: long enough for a busy machine to open the socket. */
const shortMs = 3_000
/** The same where nothing else runs. */
const aloneMs = 2_000

const hold = (at: Extract<Step, { kind: 'hold' }>['at']): readonly Step[] => [{ kind: 'hold', at, slot: 'a' }]

const oneUse = 'An answer to a challenge is made for one socket, so HTTP has nothing to show'

const leaseDoors: readonly LeaseDoor[] = [
  { door: 'D1', what: 'ticket', open: hold('first-json'), ends: 'what the ticket granted' },
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
  { door: 'D7', what: 'session', open: hold('nothing'), ends: 'the session of the site', alone: true },
  { door: 'D8', what: 'alias', open: hold('first-text'), ends: 'the alias of the session' },
  {
    door: 'D9',
    what: 'csrf',
    open: hold('csrf'),
    ends: 'what the pair granted',
    noRefresh: 'A pair of cookie and token does not fit into one credential over HTTP',
  },
  { door: 'D10', what: 'url', open: hold('url'), ends: 'what the URL granted' },
  {
    door: 'D11',
    what: 'url',
    open: hold('certificate'),
    ends: 'the longest lease that the server grants here',
    noLogin:
      'a certificate descends from no login, so no logout reaches it. Revoke the certificate or its holder.',
    noRefresh: 'A certificate is shown in the TLS handshake and nowhere else',
    needs: 'client-certificate',
  },
  {
    door: 'D12',
    what: 'login-secret',
    open: hold('challenge'),
    ends: 'the secret',
    noLogin: 'the secret belongs to the account, not to one login of it. At D13 it does.',
    noRefresh: oneUse,
  },
  {
    door: 'D13',
    what: 'login-secret',
    open: hold('challenge'),
    ends: 'the secret of this login',
    noRefresh: oneUse,
  },
  {
    door: 'D15',
    what: 'ticket',
    open: [joinAndStay('ticket', 'call-and-count')],
    ends: 'what the ticket granted',
    noRefresh: 'WAMP asks for its ticket in a conversation of its own, which HTTP does not have',
    wamp: true,
  },
]

function rowsOf(at: LeaseDoor): readonly LabCase[] {
  return [logOutRow(at), expireRow(at), refreshRow(at), revokeRow(at), roleRow(at)]
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
  return lease(at, ['refresh', granted ? 'Refreshes in time' : 'Tries to refresh over HTTP', expected], {
    steps: [
      ...opened(at, short(at)),
      { kind: 'refresh', lifeMs: longMs, granted },
      { kind: 'watch', until: 'first-end' },
    ],
    slow: true,
    why: granted
      ? 'A fresh credential of the same holder, shown over HTTP, passes the same guard as the first one. The socket outlives its first end and notices nothing.'
      : `${at.noRefresh ?? ''}. The refresh is refused, and the lease ends when it said; reconnect in time instead.`,
  })
}

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

const goodbyes = {
  logged_out: 'wamp.close.logout',
  lease_expired: 'wamp.close.expired',
  revoked: 'wamp.close.killed',
} as const

function end({ wamp = false }: LeaseDoor, reason: keyof typeof goodbyes): Outcome {
  return wamp ? goodbye(goodbyes[reason]) : closed(reason)
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
