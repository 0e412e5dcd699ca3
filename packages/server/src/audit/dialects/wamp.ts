/** WAMP v2, basic profile, as JSON; authenticates by WAMP-CRA (plain and salted) or by ticket. */
import { createHmac, pbkdf2, randomInt } from 'node:crypto'
import { promisify } from 'node:util'
import { isJsonArray, isJsonObject, type Json, type JsonObject } from 'countersign/wire'
import { jsonOf } from '../json-of.ts'
import type { Presented, WampSecret } from '../presented.ts'
import type { Message } from '../visit.ts'
import type { Dialect } from './dialect.ts'

const codes = { hello: 1, welcome: 2, abort: 3, challenge: 4, authenticate: 5, goodbye: 6, error: 8 } as const
/** Messages that carry what the application said: EVENT, RESULT, INVOCATION, and what confirms a request. */
const dataCodes: ReadonlySet<unknown> = new Set([17, 33, 36, 50, 68])
/** More iterations than any sound server asks for: a scanner is not made to work for its target. */
const maxIterations = 5_000_000

const roles = { publisher: {}, subscriber: {}, caller: {}, callee: {} }

/** WAMP. */
export const wamp: Dialect = {
  protocol: 'wamp',
  subprotocols: ['wamp.2.json'],
  addressOf: ({ url }) => new URL(url),
  async enter(visit, presented, { endpoint, ms }) {
    const until = performance.now() + ms
    visit.send(JSON.stringify([codes.hello, endpoint.realm, helloDetails(presented)]))
    for (;;) {
      const message = await visit.next(Math.max(0, until - performance.now()))
      if (message === undefined) return visit.live ? { kind: 'silent' } : { kind: 'refused', words: 'closed' }
      const value = listOf(message)
      if (value[0] === codes.welcome) return { kind: 'in', greeting: message }
      if (value[0] === codes.abort) return { kind: 'refused', words: textIn(value[2]) }
      if (value[0] === codes.challenge && presented.wamp !== undefined) {
        const signature = await answerChallenge(presented.wamp, isJsonObject(value[2]) ? value[2] : {})
        visit.hide(signature)
        visit.send(JSON.stringify([codes.authenticate, signature, {}]))
      }
    }
  },
  messagesOf(probe) {
    if (typeof probe === 'string') return [probe]
    const id = randomInt(1, 2 ** 40)
    const { args = [], kwargs = {} } = probe
    if (typeof probe['call'] === 'string') return [JSON.stringify([48, id, {}, probe['call'], args, kwargs])]
    if (typeof probe['subscribe'] === 'string')
      return [JSON.stringify([32, id, optionsOf(probe), probe['subscribe']])]
    return [JSON.stringify([16, id, { acknowledge: true }, probe['publish'] ?? '', args, kwargs])]
  },
  read(message) {
    const [code] = listOf(message)
    const text = message.kind === 'text' ? message.text : message.bytes.toString('utf8')
    if (code === codes.error || code === codes.abort) return { kind: 'refusal', text }
    return dataCodes.has(code) ? { kind: 'data', text } : { kind: 'control' }
  },
}

function optionsOf({ options = {} }: JsonObject): Json {
  return options
}

function helloDetails({ wamp: secret, payload }: Presented): object {
  return secret === undefined
    ? { ...payload, roles, authmethods: ['anonymous'] }
    : { ...payload, roles, authmethods: [secret.method], authid: secret.authid }
}

/** The answer to a CHALLENGE (WAMP, sections 13.4.2 and 13.4.3). */
export async function answerChallenge({ method, secret }: WampSecret, extra: JsonObject): Promise<string> {
  if (method === 'ticket') return secret
  const { challenge = '', salt, iterations = 1_000, keylen = 32 } = extra
  const rounds = Math.min(Number(iterations), maxIterations)
  const key =
    typeof salt === 'string'
      ? (await promisify(pbkdf2)(secret, salt, rounds, Math.min(Number(keylen), 64), 'sha256')).toString(
          'base64',
        )
      : secret
  return createHmac('sha256', key).update(textIn(challenge)).digest('base64')
}

function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

function listOf(message: Message): readonly Json[] {
  const value = message.kind === 'text' ? jsonOf(message.text) : undefined
  return isJsonArray(value) ? value : []
}
