/** A13: passwords may be guessed as fast as the line allows. */
import type { Check, Finding } from '../check.ts'
import { guessesOf } from '../guessing.ts'
import { intrusive, guessed } from '../needs.ts'
import { failOr, finding, notTested, pass } from '../verdict.ts'

/** Guessing is not slowed down. */
export const guessingLimit: Check = {
  id: 'A13',
  title: 'Passwords may be guessed without end',
  cwe: [307, 799],
  asvs: ['6.3.1', '6.1.1'],
  safety: 'I',
  needs: [intrusive, guessed],
  lastly: true,
  why: 'People choose passwords that are on lists. A door that judges every guess at once tries the whole list for whoever asks; one that counts by a header field that the client writes counts nothing.',
  remedy: {
    text: 'Count failures for each account and for each source together, let each wait longer after some, answer so before anything is looked up, and take the source from the connection or from a proxy that you named.',
    ws: "const { RateLimiterMemory } = await import('rate-limiter-flexible')\nconst guesses = new RateLimiterMemory({ points: 5, duration: 900 })\nawait guesses.consume(`${name} ${socket.remoteAddress}`) // throws: 429, or close 4429",
    socketIo:
      "io.use((socket, next) => guesses.consume(`${name} ${socket.conn.remoteAddress}`).then(() => next(), () => next(new Error('too_many_attempts'))))",
    countersign:
      'createGuard({ accept, passwords: argon2Passwords(), limits: { lockout: { failures: 5 } } }) // on by default',
  },
  async run(scene) {
    const guesses = await guessesOf(scene)
    if (guesses === undefined)
      return notTested(
        'a place where passwords are guessed: a login form or Basic of "low", WAMP, or challenge frames',
      )
    const { channel, slowedAfter, evadedBy, count, exchanges } = guesses
    const endless: readonly Finding[] =
      slowedAfter === undefined
        ? [
            finding(
              'high',
              `${channel.name}: ${count} wrong guesses for one account were all judged at once`,
              { subject: channel.name, exchanges },
            ),
          ]
        : []
    const evaded = evadedBy.map((header) =>
      finding(
        'high',
        `${channel.name}: guesses were slowed down, and judged again with a field ${header} that anybody can write`,
        { subject: header, exchanges },
      ),
    )
    return failOr(
      [...endless, ...evaded],
      pass(`${channel.name}: slowed down after ${slowedAfter ?? count} wrong guesses`, ...exchanges),
    )
  },
}
