/** Principals of WAMP-CRA: listed users, challenge secrets of the records, answers of authenticators. */
import { consult, findChallengeSecret, listSaltings } from '../core/ask.ts'
import { MisuseError, OutageError } from '../core/errors.ts'
import type { Platform } from '../core/ports.ts'
import type { Salting } from '../core/records.ts'
import { decodeBase64, encodeBase64 } from '../wire/base64.ts'
import { dictOf, wholeIn, whoOf, type Answered } from './wamp-answer.ts'
import { type PrincipalSource, type SourceMaker } from './wamp-source.ts'
import { secretWho, staticWho, type Who } from './wamp-who.ts'

/** How a user's challenge looks and what judging the answer costs: decoys take after it. */
export interface CraShape {
  readonly salting: Salting | undefined
  /** Whether the key is derived anew for every answer. */
  readonly derives: boolean
}

/** Somebody who shares a secret. */
export interface CraFound extends CraShape {
  readonly who: Who
  /** Texts of which one is the key: what is stored, or what was derived from it. */
  readonly keys: readonly [string, string]
}

/** A user as configurations write them. */
export interface WampcraUser {
  /** With `salt` it may be the derived key in base64 or the password: a signature by either is accepted. */
  readonly secret: string
  readonly role?: string
  readonly salt?: string
  /** @default 1000 */
  readonly iterations?: number
  /** Length of the derived key, bytes. @default 32 */
  readonly keylen?: number
  /** The name that the session gets. @default the one under which the user is listed */
  readonly authid?: string
}

/** A list of users whose keys are being derived. */
export interface WampcraUsers extends PrincipalSource<CraFound, CraShape> {
  /** Until then everyone waits, known or not. Rejects as an OutageError when keys cannot be derived. */
  readonly ready: Promise<void>
}

/**
 * Users of a configuration, by the name that they log in with. Salted passwords are derived here, one after the other
 * and once: wait for `ready` before you listen.
 * @param derive the platform's: PBKDF2-HMAC-SHA256
 * @throws MisuseError for an empty secret, and for iterations and key lengths out of range
 */
export function wampcraUsers(
  users: Readonly<Record<string, WampcraUser>>,
  derive: Platform['derive'],
): WampcraUsers {
  const salted = Object.entries(users).map(([name, user]) => [name, user, saltingOf(user)] as const)
  const shapes = distinct(salted.map(([, , salting]) => ({ salting, derives: false })))
  const loading = load(salted, derive)
  let loaded: ReadonlyMap<string, CraFound> | undefined
  const ready = loading.then((list) => void (loaded = list))
  // Whoever waits for `ready` or asks is told; nobody has to.
  ready.catch(() => undefined)
  return {
    ready,
    *find({ name, question }) {
      if (loaded !== undefined) return loaded.get(name)
      return yield* consult({ find: () => loading.then((list) => list.get(name)) }, question)
    },
    // oxlint-disable-next-line require-yield -- every source is a conversation; this answer is at hand
    *shapes() {
      return shapes
    },
  }
}

type Listed = readonly [name: string, user: WampcraUser, salting: Salting | undefined]

async function load(users: readonly Listed[], derive: Platform['derive']): Promise<Map<string, CraFound>> {
  const loaded = new Map<string, CraFound>()
  try {
    for (const [name, user, salting] of users) {
      const { secret, role, authid = name } = user
      const keys =
        salting === undefined ? ([secret, secret] as const) : await bothKeys(secret, salting, derive)
      loaded.set(name, { who: staticWho(authid, role), salting, derives: false, keys })
    }
  } catch (cause) {
    throw new OutageError('keys_unavailable', 'wampcra: keys of users cannot be derived', { cause })
  }
  return loaded
}

/** The key under each meaning; twice the same where only one is possible. */
async function bothKeys(
  secret: string,
  salting: Salting,
  derive: Platform['derive'],
): Promise<readonly [string, string]> {
  const key = encodeBase64(await derive(secret, salting))
  return [isDerived(secret, salting) ? secret : key, key]
}

/** Whether a text can be a key that was derived like this: the base64 of exactly so many bytes. */
function isDerived(secret: string, { keylen }: Salting): boolean {
  return decodeBase64(secret, keylen)?.length === keylen
}

/** Challenge secrets of the records: issued for a login, or a user's own. */
const accountSource: PrincipalSource<CraFound, CraShape> = {
  *find({ name }) {
    const row = yield* findChallengeSecret(name)
    if (row === undefined) return undefined
    const { secret, salting } = row
    return { who: secretWho(row), salting, derives: false, keys: [secret, secret] }
  },
  *shapes() {
    return (yield* listSaltings()).map((salting) => ({ salting, derives: false }))
  },
}

/** See `sourcesOf`. */
export const craSources: SourceMaker<CraFound, CraShape> = {
  accounts: accountSource,
  read: readAnswer,
  shapeOf: ({ salting, derives }) => ({ salting, derives }),
}

/** `secret`, and `salt`, `iterations`, `keylen` of a salted one. */
function readAnswer(answered: Answered): CraFound | undefined {
  const who = whoOf(answered)
  if (who === undefined) return undefined
  const { secret, salt, iterations, keylen } = dictOf(answered.value)
  if (typeof secret !== 'string' || (salt !== undefined && salt !== null && typeof salt !== 'string')) {
    throw new MisuseError('invalid_option', 'authenticator: the answer has no secret, or a salt that is none')
  }
  const salting = saltingOf({
    secret,
    ...(typeof salt === 'string' ? { salt } : {}),
    ...optional('iterations', iterations),
    ...optional('keylen', keylen),
  })
  return { who, salting, derives: salting !== undefined, keys: [secret, secret] }
}

function optional<N extends string>(name: N, value: unknown): { readonly [P in N]?: number } {
  // A computed name widens to any string; the member is the one that was named.
  return typeof value === 'number' ? ({ [name]: value } as { readonly [P in N]?: number }) : {}
}

/** Checked once, at load. Iterations and length without a salt mean nothing, as they did for Crossbar.io. */
function saltingOf({ secret, salt, iterations, keylen }: WampcraUser): Salting | undefined {
  if (secret === '') throw new MisuseError('invalid_option', 'wampcra: a secret is empty')
  if (salt === undefined) return undefined
  return {
    salt,
    iterations: wholeIn('wampcra: iterations', iterations, [1, 10_000_000]) ?? 1_000,
    keylen: wholeIn('wampcra: keylen', keylen, [8, 64]) ?? 32,
  }
}

/** Each shape once: decoys are as often of a kind as there are kinds. */
function distinct(shapes: readonly CraShape[]): readonly CraShape[] {
  return [...new Map(shapes.map((shape) => [JSON.stringify(shape), shape])).values()].slice(0, 16)
}
