/** A7: a token that nobody signed is believed. */
import type { Check, Finding, Scene } from '../check.ts'
import { forgeriesOf, partsOf, type Forgery } from '../jws-forgeries.ts'
import { showMisdirected, type Misdirected } from '../misdirected.ts'
import { isIn, low, token } from '../needs.ts'
import { describeView, type Sight } from '../oracle.ts'
import type { Presented } from '../presented.ts'
import { publicKeys } from '../public-keys.ts'
import { failOr, finding, inconclusive, notTested, pass } from '../verdict.ts'

const atATime = 6

/** A forgery, and what it was worth. */
interface Attempted extends Sight {
  readonly forgery: Forgery
}

/** Validation of signed tokens. */
export const tokenForgery: Check = {
  id: 'A7',
  title: 'A token is accepted that its issuer never signed, or signed for something else',
  cwe: [347, 345, 290],
  asvs: ['9.1.1', '9.1.2', '9.1.3', '9.2.2', '9.2.3'],
  safety: 'S',
  needs: [low, token],
  why: 'A signed token is written by whoever presents it until its signature was verified, with a key and an algorithm that the server chose, not the token. Every choice that is left to the token has made somebody an administrator.',
  remedy: {
    text: 'Fix algorithm, issuer, audience and type on the server; find keys by configured issuers only; ignore jwk, jku and x5u; refuse a token that is not spelled canonically before anything in it is read (RFC 8725).',
    ws: "const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwksUri)), {\n  algorithms: ['EdDSA'], issuer, audience, typ: 'at+jwt',\n})",
    socketIo:
      "io.use((socket, next) => jwtVerify(socket.handshake.auth.token, keys, { algorithms: ['EdDSA'], issuer, audience }).then(() => next(), () => next(new Error('unauthorized'))))",
    countersign:
      "jwt({ from: authorization('Bearer'), issuer, audience: 'chat', algorithms: ['Ed25519'], keys: jwks({ url: 'https://id.example.com/jwks.json' }) })",
  },
  async run(scene) {
    const { oracle, low: identity } = scene
    if (identity === undefined) return notTested(low.missing)
    const value = await identity.token()
    const { misdirected = [] } = scene.options
    if (partsOf(value) === undefined && misdirected.length === 0)
      return notTested('a token of "low" that is a signed JWT (a compact JWS)')
    const good = await oracle.look(identity.presentToken(value))
    if (!isIn(good.view, scene))
      return inconclusive(`the token itself is ${describeView(good.view)}`, good.exchange)
    const keys = await publicKeys(scene)
    const names = forgeriesOf(value, keys).map(({ name }) => name)
    const attempted = await attemptAll(scene, names, async (name) => {
      const fresh = forgeriesOf(await identity.token(), keys).find((forgery) => forgery.name === name)
      return fresh && { forgery: fresh, presented: identity.presentToken(fresh.token) }
    })
    const shown = await showMisdirected(scene, { identity, good: value, keys })
    const accepted = attempted.filter(({ view }) => isIn(view, scene))
    const astray = shown.filter(({ view, fits }) => !fits && isIn(view, scene))
    const refusals = new Set([...attempted, ...shown].map(({ view }) => describeView(view)))
    const unproven = shown.flatMap(({ name, doubt }) => (doubt === undefined ? [] : [`${name}: ${doubt}`]))
    const says = [
      `${attempted.length} forgeries and ${shown.length} tokens for something else: ${[...refusals].join(', ')}`,
      ...(keys.length === 0 ? ['the public key taken for a secret was not tried without jwks'] : []),
      ...(shown.length === 0 ? ['a wrong typ, aud or iss was not tried without misdirected'] : []),
      ...unproven,
    ].join('; ')
    const exchanges = [...attempted.slice(0, 1), ...shown].map(({ exchange }) => exchange)
    return failOr(
      [...accepted.map(findingOf), ...astray.map(strayOf)],
      unproven.length > 0 ? inconclusive(says, ...exchanges) : pass(says, ...exchanges),
    )
  },
}

/** A forgery, as it is shown. */
interface Made {
  readonly forgery: Forgery
  readonly presented: Presented
}

/** Each from a token of its own: one that opens a single socket would hide what else is wrong. */
async function attemptAll(
  { oracle }: Scene,
  names: readonly string[],
  make: (name: string) => Promise<Made | undefined>,
): Promise<readonly Attempted[]> {
  const attempt = async (name: string): Promise<readonly Attempted[]> => {
    const made = await make(name)
    return made === undefined ? [] : [{ forgery: made.forgery, ...(await oracle.look(made.presented)) }]
  }
  const attempted: Attempted[] = []
  for (let at = 0; at < names.length; at += atATime)
    attempted.push(...(await Promise.all(names.slice(at, at + atATime).map(attempt))).flat())
  return attempted
}

function findingOf({ forgery: { name, kind }, view, exchange }: Attempted): Finding {
  const severity = kind === 'forged' ? 'critical' : 'low'
  const what = kind === 'forged' ? 'a forged token' : 'a token that is not spelled canonically'
  return finding(severity, `${what} is accepted (${name}): ${describeView(view)}`, {
    subject: name,
    exchanges: [exchange],
  })
}

function strayOf({ name, view, exchange }: Misdirected): Finding {
  return finding('high', `a token that is not for this socket is accepted (${name}): ${describeView(view)}`, {
    subject: name,
    exchanges: [exchange],
  })
}
