import type { LabCase } from '../browser/case.ts'
import { accepted, closed, failed, joined } from '../browser/outcome.ts'
import { loginSecretWampCases, wampCases } from './wamp.ts'
import { hostileRow, invent, join, obtain, obtainExpired, row, show } from './write.ts'

const noSecret =
  'The challenge is fresh each time and answered by HMAC, so listening in gives nothing to repeat.'
const lookalike =
  'An unknown name is challenged in the shape of a real one and refused in the same words, so names cannot be probed.'

/** D11, client certificate. */
export const certificateCases: readonly LabCase[] = [
  row('D11.untrusted', ['Connects without trusting the lab', failed], {
    steps: [show('nothing')],
    needs: 'no-trust',
    differs: {
      firefox: {
        expected: { kind: 'failed', code: 1015 },
        why: 'Firefox tells a failed TLS handshake from other failures.',
      },
    },
    why: 'The browser does not know the authority behind the server’s certificate and ends TLS before any HTTP. /lab/ca.pem is that authority.',
  }),
  row('D11.missing', ['Connects without a certificate', closed('missing_credential')], {
    steps: [show('certificate')],
    needs: 'trust-without-certificate',
    why: 'TLS asks for a certificate; that none came is told like any other missing credential. Chromium would give the socket up, had the page not fetched from this origin first.',
  }),
  row('D11.connect', ['Connects with a certificate', accepted], {
    steps: [show('certificate')],
    needs: 'client-certificate',
    why: 'Chromium offers the certificate to a socket only after one credentialed fetch to the same host and port; the client does it.',
  }),
  row('D11.again', ['Connects again', accepted], {
    steps: [show('certificate'), show('certificate')],
    needs: 'client-certificate',
    why: 'A certificate serves until it expires or is revoked; both end a live lease, too.',
  }),
  row('D11.wamp', ['WAMP: joins with a certificate', joined('user')], {
    steps: [join('certificate', 'call', 'D11')],
    needs: 'client-certificate',
    why: 'HELLO asks for tls and names nobody; the router knows the fingerprint of the certificate, and whom it stands for.',
  }),
  {
    ...hostileRow(
      'D11',
      failed,
      'A certificate is sent for every page that asks. Only the Origin check tells them apart.',
    ),
    needs: 'client-certificate',
  },
]

/** D12, challenge and response. */
export const challengeCases: readonly LabCase[] = [
  row('D12.connect', ['Answers with a plain secret', accepted], {
    steps: [obtain('plain-secret'), show('challenge')],
    check: 'challenge-shape',
    why: noSecret,
  }),
  row('D12.salted', ['Answers with a salted secret', accepted], {
    steps: [obtain('salted-secret'), show('challenge')],
    check: 'challenge-shape',
    why: 'The server keeps what PBKDF2 made of the secret, and tells the client salt, rounds and length.',
  }),
  row('D12.replay', ['Repeats an earlier answer', closed('invalid_credential')], {
    steps: [obtain('plain-secret'), show('challenge'), show('old-signature')],
    why: noSecret,
  }),
  row('D12.wrong', ['Answers with a wrong secret', closed('invalid_credential')], {
    steps: [obtain('plain-secret', 'b'), invent('plain-secret'), show('challenge')],
    why: 'The answer is compared in constant time, after the nonce was consumed.',
  }),
  row('D12.unknown', ['Gives an unknown name', closed('invalid_credential')], {
    steps: [invent('login-secret'), show('challenge')],
    check: 'challenge-shape',
    why: lookalike,
  }),
  row('D12.expired', ['Answers with an expired secret', closed('expired_credential')], {
    steps: [obtainExpired('plain-secret'), show('challenge')],
    why: 'Only who knows the secret is told that it is too old.',
  }),
  row('D12.silent', ['Says nothing', closed('authentication_timeout')], {
    steps: [show('nothing')],
    slow: true,
    why: 'A conversation has one deadline, however many frames it takes.',
  }),
  hostileRow('D12', failed, 'Refused before a challenge is made.'),
  ...wampCases,
]

/** D13, login-bound challenge secret. */
export const loginSecretCases: readonly LabCase[] = [
  row('D13.connect', ['Answers with this login’s secret', accepted], {
    steps: [obtain('login-secret'), show('challenge')],
    why: 'Name and secret are fresh for this login. The page gets them over its own authenticated connection, once.',
  }),
  row('D13.again', ['Answers a second challenge', accepted], {
    steps: [obtain('login-secret'), show('challenge'), show('challenge')],
    why: 'The secret serves for the whole login, so reconnecting needs no new one.',
  }),
  row('D13.replay', ['Repeats an earlier answer', closed('invalid_credential')], {
    steps: [obtain('login-secret'), show('challenge'), show('old-signature')],
    why: noSecret,
  }),
  row('D13.wrong', ['Answers with a made-up secret', closed('invalid_credential')], {
    steps: [invent('login-secret'), show('challenge')],
    check: 'challenge-shape',
    why: lookalike,
  }),
  row('D13.expired', ['Answers with an expired secret', closed('expired_credential')], {
    steps: [obtainExpired('login-secret'), show('challenge')],
    why: 'The secret expires with its login at the latest, and its leases with it.',
  }),
  row('D13.silent', ['Says nothing', closed('authentication_timeout')], {
    steps: [show('nothing')],
    slow: true,
    why: 'A conversation has one deadline, however many frames it takes.',
  }),
  hostileRow('D13', failed, 'Refused before a challenge is made.'),
  row('D13.logout', ['Answers after logging out', closed('invalid_credential')], {
    steps: [obtain('login-secret'), { kind: 'log-out' }, show('challenge')],
    alone: true,
    why: 'The secret is dead with the login that it was made for, wherever it was copied to.',
  }),
  ...loginSecretWampCases,
]
