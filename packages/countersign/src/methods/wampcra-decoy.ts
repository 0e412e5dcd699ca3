/** Challenges for names that nobody has: like somebody's, and the same each time they are asked for. */
import { decoy } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import type { Salting } from '../core/records.ts'
import type { CraShape } from './wampcra-sources.ts'

/** What signs for an unknown name: a key that nobody has, in a shape drawn from the real ones. */
export interface DecoyKey extends CraShape {
  readonly keys: readonly [string, string]
}

/**
 * Where nobody has a salt all challenges look alike, and nothing is drawn. The key may be anybody's: no signature opens a
 * name that nobody has.
 */
const unsalted: DecoyKey = { salting: undefined, derives: false, keys: ['nobody', 'nobody'] }

/** Draws by HMAC under the deployment's own key: the same on every node and after every restart. */
export function* decoyKey(authid: string, shapes: readonly CraShape[]): Talk<DecoyKey> {
  if (shapes.every(({ salting }) => salting === undefined)) return unsalted
  const secret = yield* decoy(`wampcra-secret\n${authid}`)
  // Which of at most sixteen shapes it was tells four of the key's 256 bits.
  const draw = base64.indexOf(secret.charAt(0)) * 64 + base64.indexOf(secret.charAt(1))
  const model = shapes[draw % Math.max(1, shapes.length)]
  // Drawn for unsalted models, too: all names cost the same.
  const salt = yield* decoySalt(authid, model?.salting?.salt ?? '', shapes)
  const salting = model?.salting && {
    salt,
    iterations: model.salting.iterations,
    keylen: model.salting.keylen,
  }
  return { salting, derives: model?.derives ?? false, keys: [secret, secret] }
}

/** Text of the length and the alphabet in which real salts like `model` are written. */
function* decoySalt(authid: string, model: string, shapes: readonly CraShape[]): Talk<string> {
  const body = model.replace(/=+$/, '')
  const salts = shapes.map(({ salting }: { readonly salting: Salting | undefined }) => salting?.salt ?? '')
  const alphabet = alphabetOf(
    salts
      .filter((salt) => salt.length === model.length)
      .join('')
      .replaceAll('=', ''),
  )
  let salt = ''
  for (let block = 0; block === 0 || salt.length < body.length; block++) {
    const entropy = yield* decoy(`wampcra-salt ${block}\n${authid}`)
    for (const char of entropy.slice(0, 42)) salt += alphabet.charAt(base64.indexOf(char) % alphabet.length)
  }
  return salt.slice(0, body.length) + model.slice(body.length)
}

// Alphabets that salts are commonly written in, narrow before wide.
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const base64 = `${letters}0123456789+/`
const alphabets: readonly string[] = [
  '0123456789',
  '0123456789abcdef',
  '0123456789ABCDEF',
  `${letters}0123456789`,
  `${letters}0123456789-_`,
]

/** The smallest alphabet that holds all of the sample. */
function alphabetOf(sample: string): string {
  return alphabets.find((alphabet) => Array.from(sample).every((char) => alphabet.includes(char))) ?? base64
}
