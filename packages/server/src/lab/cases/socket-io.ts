import type { LabCase } from '../browser/case.ts'
import { accepted, dismissed, rejected, unopened, withheld } from '../browser/outcome.ts'
import { connect, invent, obtain, obtainExpired, row } from './write.ts'

const polling = { by: 'polling' } as const
const logOut = { kind: 'log-out' } as const

/** D14, clients of Socket.IO. */
export const socketIoCases: readonly LabCase[] = [
  row('D14.connect', ['Shows a ticket in auth', accepted], {
    steps: [obtain('ticket'), connect('ticket')],
    why: 'Where the documentation of Socket.IO puts a token: in the CONNECT packet, in no URL and no header. The application’s middlewares find no ticket in it any more.',
  }),
  row('D14.polling', ['Shows it by polling alone', accepted], {
    steps: [obtain('ticket'), connect('ticket', polling)],
    why: 'Networks that let no WebSocket pass leave requests and answers. Each of them is asked for its Host and its Origin, and the lease is the same.',
  }),
  row('D14.upgrade', ['Goes on from polling to WebSocket', accepted], {
    steps: [obtain('ticket'), connect('ticket', { by: 'upgrade' })],
    why: 'What clients do when they are not told otherwise. The request that asks for the upgrade is judged like any other; the ticket was spent before it, and the lease goes along.',
  }),
  row('D14.jwt', ['Shows a JWT in auth', accepted], {
    steps: [obtain('jwt'), connect('token')],
    why: 'The payload is read as a first message is: token, access_token or ticket, whatever the guard accepts there.',
  }),
  row('D14.cookie', ['Shows the login’s cookie alone', accepted], {
    steps: [connect('cookie')],
    why: 'The page hands nothing over. The browser attaches the cookie unasked, so an allowed Origin is compulsory.',
  }),
  row('D14.query', ['Puts a ticket in the query', accepted], {
    steps: [obtain('ticket'), connect('query')],
    why: 'For clients that can set a URL and nothing else. handshake.query shows the application no ticket.',
  }),
  row('D14.replay', ['Shows the same ticket twice', rejected('invalid_credential')], {
    steps: [obtain('ticket'), connect('ticket'), connect('ticket')],
    why: 'A ticket is single-use, for each namespace and each connection one: auth is best given as a function. The login’s cookie, which comes along, does not help: what was shown explicitly decides.',
  }),
  row('D14.replay-polling', ['Shows a spent ticket by polling', rejected('invalid_credential')], {
    steps: [obtain('ticket'), connect('ticket'), connect('ticket', polling)],
    why: 'Spent by one transport is spent for the other: nothing about a ticket rests upon how it came.',
  }),
  row('D14.wrong', ['Shows a made-up ticket', rejected('invalid_credential')], {
    steps: [invent('ticket'), connect('ticket')],
    why: 'The client’s connect_error carries one word for unknown, wrong and spent, and what the client should do next.',
  }),
  row('D14.expired', ['Shows an expired ticket', rejected('expired_credential')], {
    steps: [obtainExpired('ticket'), connect('ticket')],
    why: 'A ticket lives 30 seconds; the lease that it opens lives by its own time.',
  }),
  row('D14.elsewhere', ['Shows a ticket for D1', rejected('invalid_credential')], {
    steps: [obtain('ticket', 'a', 'D1'), connect('ticket')],
    why: 'A ticket has an audience, and one for another server is worth no more here than none.',
  }),
  row('D14.missing', ['Shows nothing', rejected('missing_credential')], {
    steps: [connect('nothing', polling)],
    why: 'Polling without credentials brings no cookie. A transport that nobody vouches for waits in the capped pool, and no namespace opens.',
  }),
  row('D14.two', ['Shows a made-up ticket beside a good one', rejected('protocol_violation')], {
    steps: [obtain('ticket'), connect('two')],
    why: 'The payload and the query say two things, so nobody knows which one was meant. Neither is looked at, and the good one is not spent.',
  }),
  row('D14.namespace', ['Asks for a namespace without rules', rejected('forbidden')], {
    steps: [obtain('ticket'), connect('ticket', { at: 'unlisted' })],
    why: 'What no row lists lets nobody in, whether it exists or not, and nothing is made of its name. The ticket is not even looked at.',
  }),
  row('D14.event', ['Sends an event above its role', withheld], {
    steps: [obtain('ticket'), connect('ticket', { event: 'announce' })],
    why: 'Being let in is one question, what may be said another. The event reaches no listener, and its acknowledgement says why.',
  }),
  row('D14.event-unknown', ['Sends an event that nobody knows', withheld], {
    steps: [obtain('ticket'), connect('ticket', { event: 'unknown' })],
    why: 'Answered like the one above: a client cannot find out which events there are.',
  }),
  row('D14.event-polling', ['Sends such an event by polling', withheld], {
    steps: [obtain('ticket'), connect('ticket', { ...polling, event: 'announce' })],
    why: 'The policy stands where packets have been decoded, so it does not matter how they came.',
  }),
  row('D14.hostile', ['Another origin opens a WebSocket', unopened('websocket')], {
    steps: [{ kind: 'attack', by: 'websocket' }],
    why: 'The cors option of Socket.IO does not cover WebSockets, and the browser attaches the login’s cookie. The guard asks for the Origin before Engine.IO answers.',
  }),
  row('D14.hostile-polling', ['Another origin polls', unopened('polling')], {
    steps: [{ kind: 'attack', by: 'polling' }],
    why: 'Refused before a session is made. CORS alone would keep the page from reading the answer, not from being answered.',
  }),
  row('D14.logout-polling', ['Is logged out elsewhere while it polls', dismissed('logged_out')], {
    steps: [
      { kind: 'invite', what: 'ticket', lifeMs: 20_000 },
      connect('ticket', { ...polling, stays: true }),
      { kind: 'end', by: 'log-out' },
      { kind: 'watch', until: 'a-moment' },
    ],
    why: 'The answer that the client waits for brings auth_end at once: an end needs no WebSocket to be heard.',
  }),
  row('D14.recovery', ['Loses its connection, comes back', accepted], {
    steps: [
      obtain('ticket'),
      connect('ticket', { ...polling, stays: true }),
      { kind: 'lose' },
      { kind: 'return' },
    ],
    why: 'Connection state recovery: who comes back in time names the session that was and shows no credential, for its lease has run on.',
  }),
  row('D14.recovery-ended', ['Comes back after its logout', rejected('missing_credential')], {
    steps: [
      { kind: 'invite', what: 'ticket', lifeMs: 20_000 },
      connect('ticket', { ...polling, stays: true }),
      { kind: 'lose' },
      { kind: 'end', by: 'log-out' },
      { kind: 'return' },
    ],
    why: 'While nobody was connected the login was logged out elsewhere. Recovery is asked again and finds the lease ended, so a credential would be needed.',
  }),
  row('D14.logout', ['Connects after logging out', rejected('missing_credential')], {
    steps: [logOut, connect('cookie')],
    alone: true,
    why: 'With the login its cookie is gone, and nothing else was shown.',
  }),
  row('D14.cookie-wrong', ['Shows a made-up cookie', rejected('invalid_credential')], {
    steps: [logOut, { kind: 'plant-session' }, connect('cookie')],
    alone: true,
    why: 'Session values have 256 random bits and are kept as hashes; there is nothing to guess.',
  }),
]
