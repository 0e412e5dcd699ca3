/** A14: whoever guesses wrongly locks the account’s owner out. */
import type { Check } from '../check.ts'
import { guessesOf } from '../guessing.ts'
import { guessed, intrusive } from '../needs.ts'
import { failOr, finding, inconclusive, notTested, pass } from '../verdict.ts'

/** Another address of this machine, as seen by a target on it. */
const otherAddress = '127.0.0.2'

/** Lock-out as denial of service. */
export const lockout: Check = {
  id: 'A14',
  title: 'Wrong guesses of a stranger lock the owner of the account out',
  cwe: [645],
  asvs: ['6.1.1'],
  safety: 'I',
  needs: [
    intrusive,
    guessed,
    {
      missing: 'the right password of the guessed account (guessed.password)',
      met: ({ options }) => options.guessed?.password !== undefined,
    },
    {
      missing: 'a second address to come from: a target at 127.0.0.1',
      met: ({ endpoint }) => /^(127\.[\d.]+|localhost)$/.test(endpoint.url.hostname),
    },
  ],
  lastly: true,
  why: 'An account that is closed after some wrong guesses is closed by whoever knows its name, as often as he likes.',
  remedy: {
    text: 'Slow the source down, not the account: count by account and source together, and let those in who come from where they came before, or with a cookie of an earlier login.',
    ws: 'await guesses.consume(`${name} ${socket.remoteAddress}`) // and a far higher limit for the name alone',
    socketIo: 'await guesses.consume(`${name} ${socket.conn.remoteAddress}`)',
    countersign:
      'createGuard({ accept, passwords: argon2Passwords() }) // by account and source; known sources keep a count of their own',
  },
  async run(scene) {
    const guesses = await guessesOf(scene)
    if (guesses === undefined)
      return notTested(
        'a place where passwords are guessed: a login form or Basic of "low", WAMP, or challenge frames',
      )
    const { account, channel, rightWorked, slowedAfter } = guesses
    if (rightWorked !== true)
      return inconclusive(`the password of ${account.user} was not accepted even before the guesses`)
    if (slowedAfter === undefined) return pass('guesses are not slowed down, so nobody is locked out by them')
    const reply = await channel.ask(account.user, {
      secret: account.password ?? '',
      localAddress: otherAddress,
    })
    if (reply.silent) return notTested(`a way to the target from ${otherAddress}`)
    if (reply.accepted && reply.shape !== guesses.wrongShape)
      return pass(
        `after ${slowedAfter} wrong guesses from elsewhere the right password still opens the account`,
        reply.exchange,
      )
    const says = `after ${slowedAfter} wrong guesses from one address the right password was refused from another`
    return failOr([finding('low', says, { exchanges: [...guesses.exchanges, reply.exchange] })], pass(''))
  },
}
