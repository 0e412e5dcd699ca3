/** Guesses the password of an account that exists for it: once in an audit, whichever checks ask. */
import type { Scene } from './check.ts'
import type { Exchange } from './exchange.ts'
import type { GuessedAccount } from './options.ts'
import { channelsOf, type Channel, type Reply } from './refusal-channels.ts'
import { median } from './statistics.ts'

/** Wrong guesses that are made at most, those with spoofed headers among them: thirty in all. */
const plainGuesses = 26
const spoofedHeaders = ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'X-Client-IP'] as const
/** How much longer the last answers must take than the first for a delay that grows. */
const growth = 4
const leastDelayMs = 500

/** What guessing came to at one place. */
export interface Guesses {
  readonly channel: Channel
  readonly account: GuessedAccount
  /** Whether the right password was accepted beforehand; `undefined` when it was not given. */
  readonly rightWorked: boolean | undefined
  /** What a wrong guess is answered at first: logins there are that redirect in any case. */
  readonly wrongShape: string | undefined
  /** How many guesses were made. */
  readonly count: number
  /** How many guesses it took until they were slowed down; `undefined` when they never were. */
  readonly slowedAfter: number | undefined
  /** Header fields with which a guess was judged again, although guesses were slowed down. */
  readonly evadedBy: readonly string[]
  readonly exchanges: readonly Exchange[]
}

const made = new WeakMap<Scene, Promise<Guesses | undefined>>()

/** Guesses, unless that was done before. @returns `undefined` where nothing can be guessed at */
export function guessesOf(scene: Scene): Promise<Guesses | undefined> {
  const before = made.get(scene)
  if (before !== undefined) return before
  const guesses = guess(scene)
  made.set(scene, guesses)
  return guesses
}

async function guess(scene: Scene): Promise<Guesses | undefined> {
  const account = scene.options.guessed
  const channel = await channelOf(scene)
  if (account === undefined || channel === undefined) return undefined
  const right =
    account.password === undefined ? undefined : await channel.ask(account.user, { secret: account.password })
  const replies: Reply[] = []
  // Twice in a row: an answer may be late once.
  const slowed = (): boolean => isSlowed(replies) && isSlowed(replies.slice(0, -1))
  while (replies.length < plainGuesses && !slowed()) replies.push(await channel.ask(account.user))
  const slowedAfter = slowed() ? replies.length - 1 : undefined
  const evadedBy: string[] = []
  if (slowedAfter !== undefined)
    for (const [at, header] of spoofedHeaders.entries()) {
      const address = `203.0.113.${at + 10}`
      const value = header === 'Forwarded' ? `for=${address}` : address
      const reply = await channel.ask(account.user, { headers: [[header, value]] })
      if (!reply.throttled && !reply.silent && reply.shape === replies[0]?.shape) evadedBy.push(header)
    }
  const exchanges = [replies[0], replies.at(-1)].flatMap((reply) =>
    reply === undefined ? [] : [reply.exchange],
  )
  const wrongShape = replies[0]?.shape
  return {
    channel,
    account,
    rightWorked: right && right.accepted && right.shape !== wrongShape,
    wrongShape,
    count: replies.length,
    slowedAfter,
    evadedBy,
    exchanges,
  }
}

/** A login where there is one, else the first place that challenges. */
async function channelOf(scene: Scene): Promise<Channel | undefined> {
  const channels = channelsOf(scene)
  const login = channels.find(({ counts }) => counts)
  if (login !== undefined) return login
  for (const channel of channels) {
    const { shape } = await channel.ask(scene.options.guessed?.user ?? '', { untilChallenge: true })
    if (shape.startsWith('challenge')) return channel
  }
  return undefined
}

/** Refused by a limit, cut off, answered in another way than at first, or ever later. */
function isSlowed(replies: readonly Reply[]): boolean {
  const [first] = replies
  const last = replies.at(-1)
  if (first === undefined || last === undefined) return false
  if (last.throttled || last.silent || last.shape !== first.shape) return true
  if (replies.length < 6) return false
  const early = median(replies.slice(0, 3).map(({ ms }) => ms))
  const late = median(replies.slice(-3).map(({ ms }) => ms))
  return late > leastDelayMs && late > early * growth
}
