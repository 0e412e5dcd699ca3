import type { LabCase, Step } from '../browser/case.ts'
import { accepted, closed, failed, unexchanged } from '../browser/outcome.ts'
import { hostileRow, invent, obtain, obtainExpired, row, show } from './write.ts'

const exchange: Step = { kind: 'exchange', slot: 'a' }
const logOut: Step = { kind: 'log-out' }

/** D3, cookie through a hidden frame. */
export const frameCases: readonly LabCase[] = [
  row('D3.missing', ['Connects before any exchange', closed('missing_credential')], {
    steps: [{ kind: 'forget', what: 'frame' }, show('nothing')],
    why: 'The login cookie of the page’s site is no credential here: this door takes its own cookie only.',
  }),
  row('D3.wrong', ['Hands a made-up ticket to the frame', unexchanged], {
    steps: [invent('ticket'), exchange],
    why: 'The exchange takes posts of its own origin only, and a ticket that was issued for it.',
  }),
  row('D3.expired', ['Hands an expired ticket to the frame', unexchanged], {
    steps: [obtainExpired('frame-ticket'), exchange],
    why: 'A frame ticket lives as briefly as any other.',
  }),
  row('D3.elsewhere', ['Hands it a ticket for connecting', unexchanged], {
    steps: [obtain('ticket'), exchange],
    why: 'A ticket has a purpose. One that opens a socket sets no cookie, and the other way round.',
  }),
  row('D3.connect', ['Exchanges a ticket, then connects', accepted], {
    steps: [obtain('frame-ticket'), exchange, show('nothing')],
    why: 'The ticket goes to the frame by postMessage to one exact origin; the frame sets an HttpOnly cookie of the socket’s own origin.',
  }),
  row('D3.replay', ['Hands the same ticket over twice', unexchanged], {
    steps: [obtain('frame-ticket'), exchange, exchange],
    why: 'The ticket is single-use, so nobody who saw it can plant a session.',
  }),
  row('D3.again', ['Connects again with the cookie', accepted], {
    steps: [obtain('frame-ticket'), exchange, show('nothing'), show('nothing')],
    why: 'The cookie is a session, bound to the page’s origin and child of its login: it serves until either ends.',
  }),
  hostileRow(
    'D3',
    failed,
    'The browser attaches the cookie to the hostile page’s handshake too. The Origin check is what stops it.',
  ),
]

/** D4, user information. */
export const basicCases: readonly LabCase[] = [
  row('D4.missing', ['Connects without user information', failed], {
    steps: [{ kind: 'forget', what: 'basic' }, show('nothing')],
    why: 'This door must answer 401 even to browsers, because the challenge is what makes them send the password.',
  }),
  row('D4.wrong', ['Gives a wrong password', failed], {
    steps: [{ kind: 'forget', what: 'basic' }, invent('password'), show('user-password')],
    why: 'Wrong and unknown are refused alike. Guessing is counted per name and source, in bounded memory.',
  }),
  row('D4.connect', ['Gives name and password', accepted], {
    steps: [obtain('password'), show('user-password')],
    why: 'Sent only after the 401 with WWW-Authenticate: Basic, never before.',
  }),
  row('D4.again', ['Connects again without them', accepted], {
    steps: [obtain('password'), show('user-password'), show('nothing')],
    why: 'The browser remembers: from now on the password is ambient, sent with sockets nobody gave it to. Hence the Origin rule.',
  }),
  row('D4.token', ['Gives a ticket as user name', accepted], {
    steps: [obtain('ticket', 'a'), obtain('ticket', 'b'), show('user-name', 'a'), show('user-name', 'b')],
    why: 'Browsers tell remembered passwords apart by user name, so a changing token belongs into the user name.',
  }),
  row('D4.token-password', ['Gives a new ticket as password', accepted], {
    steps: [
      { kind: 'forget', what: 'basic' },
      obtain('ticket', 'a'),
      obtain('ticket', 'b'),
      show('token-password', 'a'),
      show('token-password', 'b'),
    ],
    differs: {
      firefox: {
        expected: failed,
        why: 'Firefox finds the user name “token” in its memory and sends the first ticket again, which is spent: every other connection fails.',
      },
    },
    why: 'This is how not to do it: with a constant user name one engine re-sends the old token. Put it into the user name.',
  }),
  row('D4.replay', ['Gives the same ticket twice', failed], {
    steps: [{ kind: 'forget', what: 'basic' }, obtain('ticket'), show('user-name'), show('user-name')],
    why: 'A ticket is single-use at this door as at any other.',
  }),
  row('D4.expired', ['Gives an expired ticket', failed], {
    steps: [{ kind: 'forget', what: 'basic' }, obtainExpired('ticket'), show('user-name')],
    why: 'The page sees 1006; the journal says expired_credential.',
  }),
  hostileRow(
    'D4',
    failed,
    'A remembered password travels with the hostile page’s handshake. The Origin check comes before the password is looked at.',
  ),
]

/** D5, machine to machine. */
export const machineCases: readonly LabCase[] = [
  row('D5.missing', ['Connects as pages can: without a header', closed('missing_credential')], {
    steps: [show('nothing')],
    why: 'No browser lets a page set Authorization on a WebSocket. This door is for programs; a page belongs to another.',
  }),
  hostileRow('D5', failed, 'A present Origin must be listed, at doors for programs as well.'),
]

/** D7, session cookie. */
export const sessionCases: readonly LabCase[] = [
  row('D7.connect', ['Connects with the login’s cookie', accepted], {
    steps: [show('nothing')],
    why: 'Nothing to hand over: the cookie that proves the login to the site proves it to the socket.',
  }),
  row('D7.again', ['Connects again', accepted], {
    steps: [show('nothing'), show('nothing')],
    why: 'A session is meant to be shown again; what ends it is logout, silence, age or revocation.',
  }),
  hostileRow(
    'D7',
    failed,
    'SameSite does not help: another port of the same host is the same site, and the cookie travels. The Origin check stops it.',
  ),
  row('D7.logout', ['Logs out while connected', closed('logged_out')], {
    steps: [{ kind: 'hold', at: 'nothing', slot: 'a' }, logOut, { kind: 'await-close' }],
    alone: true,
    why: 'Acceptance is a lease, not a check: logging out ends the sockets that the login opened.',
  }),
  row('D7.missing', ['Connects after logging out', closed('missing_credential')], {
    steps: [logOut, show('nothing')],
    alone: true,
    why: 'Without the cookie there is no credential, whatever the socket knew before.',
  }),
  row('D7.wrong', ['Connects with a made-up cookie', closed('invalid_credential')], {
    steps: [logOut, { kind: 'plant-session' }, show('nothing')],
    alone: true,
    why: 'Session values have 256 random bits and are kept as hashes; there is nothing to guess.',
  }),
  row('D7.expired', ['Connects with an expired session', closed('expired_credential')], {
    steps: [logOut, obtainExpired('session'), show('nothing')],
    alone: true,
    why: 'A session ends after 30 minutes of silence or 8 hours, and the lease with it.',
  }),
]

/** D8, session as first message. */
export const aliasCases: readonly LabCase[] = [
  row('D8.connect', ['Sends the session’s alias', accepted], {
    steps: [obtain('alias'), show('first-text')],
    why: 'An HttpOnly cookie cannot be read and must not be readable. The alias can, and is worth less.',
  }),
  row('D8.again', ['Sends the alias again', accepted], {
    steps: [obtain('alias'), show('first-text'), show('first-text')],
    why: 'The alias serves as long as the session that it stands for.',
  }),
  row('D8.elsewhere', ['Sends the alias at D1', closed('invalid_credential')], {
    steps: [obtain('alias'), show('first-text', 'a', 'D1')],
    why: 'A leaked alias opens this one door and no other; it is not the session.',
  }),
  row('D8.wrong', ['Sends a made-up alias', closed('invalid_credential')], {
    steps: [invent('alias'), show('first-text')],
    why: 'Unknown and ended aliases are refused in the same words.',
  }),
  row('D8.expired', ['Sends an expired alias', closed('expired_credential')], {
    steps: [obtainExpired('alias'), show('first-text')],
    why: 'The alias dies with its session.',
  }),
  row('D8.silent', ['Says nothing', closed('authentication_timeout')], {
    steps: [show('nothing')],
    slow: true,
    why: 'The deadline is absolute: it began with the connection.',
  }),
  hostileRow('D8', failed, 'Refused before the first message is even awaited.'),
]

/** D9, preauth. */
export const preauthCases: readonly LabCase[] = [
  row('D9.connect', ['Shows cookie and CSRF token', accepted], {
    steps: [obtain('csrf'), show('csrf')],
    why: 'The cookie comes by itself, the token only from the page that asked for it, the Origin from the browser.',
  }),
  row('D9.tabs', ['Uses the token of another tab', accepted], {
    steps: [obtain('csrf', 'a'), obtain('csrf', 'b'), show('csrf', 'a'), show('csrf', 'b')],
    why: 'Tabs share the cookie, and every token of it works once: opening a second tab does not break the first.',
  }),
  row('D9.replay', ['Shows the same token twice', closed('invalid_credential')], {
    steps: [obtain('csrf'), show('csrf'), show('csrf')],
    why: 'The token is spent by its first use; the cookie alone opens nothing.',
  }),
  row('D9.wrong', ['Shows a made-up token', closed('invalid_credential')], {
    steps: [obtain('csrf', 'b'), invent('csrf'), show('csrf')],
    why: 'The right cookie does not help a page that cannot read the token.',
  }),
  row('D9.missing', ['Shows the cookie alone', closed('missing_credential')], {
    steps: [obtain('csrf'), show('nothing')],
    why: 'This is what a forged page could do at most, were its Origin allowed.',
  }),
  row('D9.expired', ['Shows an expired pair', closed('expired_credential')], {
    steps: [obtainExpired('csrf'), show('csrf')],
    why: 'The pair lives 30 seconds; the socket that it opened lives by its own lease.',
  }),
  hostileRow(
    'D9',
    failed,
    'SameSite=Strict cookies reach other ports of their host. The hostile page has the cookie, not the token, and the wrong Origin.',
  ),
]
