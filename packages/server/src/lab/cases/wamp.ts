import type { LabCase } from '../browser/case.ts'
import { aborted, denied, failed, joined, loggedOut, unproven } from '../browser/outcome.ts'
import { hostileRow, invent, join, joinAndStay, obtain, obtainExpired, row } from './write.ts'

const alike =
  'One URI and one sentence for a wrong secret and an unknown name, and a challenge of the same shape for both.'

/** D12 over WAMP, with the users of the configuration. */
export const wampCases: readonly LabCase[] = [
  row('D12.wamp', ['WAMP: joins as joe', joined('frontend')], {
    steps: [obtain('wamp-plain-secret'), join('wampcra')],
    check: 'challenge-shape',
    why: 'The same method inside HELLO, CHALLENGE and AUTHENTICATE, spoken by autobahn-browser as it is published. The session then registers a procedure and calls it.',
  }),
  row('D12.wamp-salted', ['WAMP: joins as peter, salted', joined('frontend')], {
    steps: [obtain('wamp-salted-secret'), join('wampcra')],
    check: 'challenge-shape',
    why: 'The router keeps what PBKDF2 made of the password. Whoever steals that can sign challenges, but does not have the password.',
  }),
  row('D12.wamp-replay', ['WAMP: repeats an earlier answer', aborted], {
    steps: [obtain('wamp-plain-secret'), join('wampcra'), join('old-signature')],
    why: 'Nonce, time and session id are in the challenge, so an answer fits one HELLO and no other.',
  }),
  row('D12.wamp-wrong', ['WAMP: answers with a wrong secret', aborted], {
    steps: [invent('wamp-plain-secret'), join('wampcra')],
    check: 'challenge-shape',
    why: alike,
  }),
  row('D12.wamp-unknown', ['WAMP: gives an unknown name', aborted], {
    steps: [invent('login-secret'), join('wampcra')],
    check: 'challenge-shape',
    why: alike,
  }),
  row('D12.wamp-key', ['WAMP: signs with an Ed25519 key', joined('frontend')], {
    steps: [obtain('wamp-key'), join('cryptosign')],
    why: 'The router knows the public key alone: nothing that it keeps lets anybody in.',
  }),
  row('D12.wamp-key-wrong', ['WAMP: signs with another key', aborted], {
    steps: [invent('wamp-key'), join('cryptosign')],
    why: 'To name a public key is not to have the private one. Unknown keys are challenged and refused alike.',
  }),
  row('D12.wamp-role', ['WAMP: publishes elsewhere', denied], {
    steps: [obtain('wamp-plain-secret'), join('wampcra', 'publish-elsewhere')],
    why: 'Joining is one question, and what the role may do is another: its one rule allows names below com.example. and nothing else.',
  }),
]

/** D13 over WAMP. */
export const loginSecretWampCases: readonly LabCase[] = [
  row('D13.wamp', ['WAMP: joins with this login’s secret', joined('user')], {
    steps: [obtain('login-secret'), join('wampcra')],
    why: 'Clients of WAMP can show no cookie of the site. Name and secret made for this login carry it into the router.',
  }),
  row('D13.wamp-wrong', ['WAMP: answers with a made-up secret', aborted], {
    steps: [invent('login-secret'), join('wampcra')],
    check: 'challenge-shape',
    why: alike,
  }),
  row('D13.wamp-expired', ['WAMP: answers with an expired secret', aborted], {
    steps: [obtainExpired('login-secret'), join('wampcra')],
    why: 'In WAMP this is told like any other refusal; the journal says expired_credential.',
  }),
  row('D13.wamp-end', ['WAMP: logs out while joined', loggedOut], {
    steps: [obtain('login-secret'), joinAndStay('wampcra'), { kind: 'log-out' }, { kind: 'await-close' }],
    alone: true,
    why: 'The session is a lease that rests on the login: the router says GOODBYE the moment the page logs out.',
  }),
  row('D13.wamp-logout', ['WAMP: joins after logging out', aborted], {
    steps: [obtain('login-secret'), { kind: 'log-out' }, join('wampcra')],
    alone: true,
    why: 'The secret is dead with the login that it was made for, at the router as at any other door.',
  }),
]

/** D15, the methods of WAMP that challenge nobody's mathematics. */
export const wampTicketCases: readonly LabCase[] = [
  row('D15.connect', ['Shows a ticket of the site', joined('user')], {
    steps: [obtain('ticket'), join('ticket')],
    why: 'CHALLENGE asks, AUTHENTICATE shows. The ticket is single-use and was issued for the router and for this name.',
  }),
  row('D15.password', ['Shows name and password', joined('user')], {
    steps: [obtain('password'), join('ticket')],
    why: 'To WAMP a password is a ticket, too. It travels as it is, so off loopback this method needs TLS.',
  }),
  row('D15.replay', ['Shows the same ticket twice', aborted], {
    steps: [obtain('ticket'), join('ticket'), join('ticket')],
    why: 'A ticket is single-use at the router as at any other door.',
  }),
  row('D15.wrong', ['Shows a made-up ticket', aborted], {
    steps: [invent('ticket'), join('ticket')],
    why: 'Unknown, wrong, spent and expired are told in one URI and one sentence.',
  }),
  row('D15.unknown', ['Gives an unknown name', aborted], {
    steps: [invent('password'), join('ticket')],
    why: 'An unknown name is asked for its ticket like a known one, and costs one password check like a known one.',
  }),
  row('D15.expired', ['Shows an expired ticket', aborted], {
    steps: [obtainExpired('ticket'), join('ticket')],
    why: 'A ticket lives 30 seconds; the journal says what the client is not told.',
  }),
  row('D15.elsewhere', ['Shows a ticket for D1', aborted], {
    steps: [obtain('ticket', 'a', 'D1'), join('ticket')],
    why: 'A ticket has an audience: one that opens a plain socket does not open the router.',
  }),
  row('D15.role', ['Publishes elsewhere', denied], {
    steps: [obtain('ticket'), join('ticket', 'publish-elsewhere')],
    why: 'Accounts have roles in the realm, too. Their rule ends where com.example. does, and what no rule allows is denied.',
  }),
  row('D15.anonymous', ['Joins as nobody and listens', joined('anonymous')], {
    steps: [join('anonymous', 'listen')],
    why: 'Only where it is configured, under a fresh name each time, in a role that may listen to one topic.',
  }),
  row('D15.anonymous-role', ['Joins as nobody and publishes', denied], {
    steps: [join('anonymous', 'publish')],
    why: 'Nobody in particular may do next to nothing: its one rule allows to subscribe and no more.',
  }),
  row('D15.cookie', ['Comes back with a cookie', joined('user')], {
    steps: [obtain('ticket'), join('ticket', 'call', 'cookie'), join('cookie', 'call', 'cookie')],
    why: 'The handshake of the first session set a cookie, and that is all the second one shows. Coming back extends nothing.',
  }),
  row('D15.cookie-logout', ['Comes back after logging out', unproven], {
    steps: [
      obtain('ticket'),
      join('ticket', 'call', 'cookie'),
      join('cookie', 'call-and-log-out', 'cookie'),
      join('cookie', 'call', 'cookie'),
    ],
    why: 'GOODBYE with wamp.close.logout makes the router forget the cookie. The browser still has one, and it is nobody’s.',
  }),
  hostileRow('D15', failed, 'A present Origin must be listed for WAMP as well, before any HELLO is heard.'),
]
