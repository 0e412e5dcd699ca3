/** A6: a token whose time is over opens a socket. */
import type { Check } from '../check.ts'
import { isIn, low } from '../needs.ts'
import { describeView } from '../oracle.ts'
import { failOr, finding, inconclusive, notTested, pass } from '../verdict.ts'

const defaultSkewMs = 1_000
const maxSkewMs = 60_000
/** Longest wait for a token to end, milliseconds: an audit is over in a minute. */
const maxWaitMs = 40_000
/** Beyond the last instant at which a token may be taken, milliseconds. */
const marginMs = 200

/** Expiry at the handshake. */
export const expiredToken: Check = {
  id: 'A6',
  title: 'A token that has expired opens a socket',
  cwe: [613],
  asvs: ['9.2.1', '7.3.1', '7.3.2'],
  safety: 'S',
  needs: [
    {
      missing: 'a token that ends soon (expiring: command or url, and ttlMs)',
      met: ({ options }) => options.expiring !== undefined,
    },
    low,
  ],
  waits: true,
  why: 'The short life of a token is what makes its theft bearable. A door that does not look at the end makes every token that was ever issued a key for ever.',
  remedy: {
    text: 'Compare the end of every credential with the clock at the moment of the handshake, allow a minute of difference at most, and refuse tokens that have no end.',
    ws: "const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ['EdDSA'], requiredClaims: ['exp'], clockTolerance: 30 })",
    socketIo:
      "io.use(async (socket, next) => {\n  try { await jwtVerify(socket.handshake.auth.token, keys, { requiredClaims: ['exp'] }); next() }\n  catch { next(new Error('unauthorized')) }\n})",
    countersign:
      "createGuard({ accept: [jwt({ from: authorization('Bearer'), issuer, audience, algorithms: ['Ed25519'], keys })] }) // exp is demanded, and ends the lease, too",
  },
  async run(scene) {
    const { oracle, low: identity, options, budget } = scene
    const { expiring } = options
    if (identity === undefined || expiring === undefined) return notTested(low.missing)
    const as = expiring.as ?? identity.options.token?.as
    if (as === undefined) return notTested('the place of the token that ends soon (expiring.as)')
    const { ttlMs, skewMs = defaultSkewMs } = expiring
    const waitMs = ttlMs + Math.min(skewMs, maxSkewMs) + marginMs
    if (waitMs > Math.min(maxWaitMs, budget.leftMs))
      return notTested(`a token that ends within ${maxWaitMs / 1_000} s, its skew included, and time for it`)
    const present = async (): ReturnType<typeof oracle.look> =>
      oracle.look(identity.presentToken(await identity.token(expiring), as))
    const old = await identity.token(expiring)
    const fetchedAt = performance.now()
    const fresh = await present()
    if (!isIn(fresh.view, scene))
      return inconclusive(`a fresh token of this kind is ${describeView(fresh.view)}`, fresh.exchange)
    await budget.pause(fetchedAt + waitMs - performance.now())
    const late = await oracle.look(identity.presentToken(old, as))
    if (isIn(late.view, scene)) {
      const says = `a token that is good for ${ttlMs} ms still opened a socket after ${waitMs} ms: ${describeView(late.view)}`
      return failOr([finding('high', says, { exchanges: [late.exchange] })], pass(''))
    }
    const again = await present()
    if (!isIn(again.view, scene))
      return inconclusive('fresh tokens were refused at the end, too', late.exchange, again.exchange)
    return pass(`after ${waitMs} ms the token is ${describeView(late.view)}`, late.exchange)
  },
}
