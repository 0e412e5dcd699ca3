/** What a guard's ports answer to the questions of a conversation: one row a question. */
import type { Guess } from './guess.ts'
import type { Answers, Ports } from './ports.ts'

/**
 * The table of answers. Ports are asked when a conversation asks, and no earlier; what they throw is thrown there.
 * @param sourceOf the unit by which guessing is counted, of an address
 */
export function answersOf(ports: Ports, sourceOf: (address: string) => string): Answers {
  const { records, platform, passwords, guesses } = ports
  const guess = (need: { readonly identity: string; readonly source: string }): Guess => ({
    identity: need.identity,
    source: sourceOf(need.source),
    now: platform.clock.now(),
  })
  return {
    takeTicket: (need) => records.takeTicket(need.key),
    findSession: (need) => records.findSession(need.key),
    touchSession: (need) => records.touchSession(need.key, need.now),
    findApiKey: (need) => records.findApiKey(need.key),
    findAccount: (need) => records.findAccount(need.username),
    findChallengeSecret: (need) => records.findChallengeSecret(need.authid),
    takeChallengeSecret: (need) => records.takeChallengeSecret(need.authid),
    listSaltings: (need) => records.listSaltings(need.most),
    findScramKey: (need) => records.findScramKey(need.username),
    listScramDerivations: (need) => records.listScramDerivations(need.most),
    findPublicKey: (need) => records.findPublicKey(need.publicKey),
    listPublicKeys: (need) => records.listPublicKeys(need.username),
    findMark: (need) => records.findMark(need.grant, need.lease, need.caller),
    putSpent: (need) => records.putSpent(need.row),
    findSpent: (need) => records.findSpent(need.key),
    attempt: (need) => guesses.waitMs(guess(need)),
    attempted: (need) => guesses.tried(guess(need), need.right),
    hash: (need) => platform.hash(need.text),
    hmac: (need) => platform.hmac(need.key, need.text),
    decoy: (need) => platform.hmac(ports.decoyKey, need.text),
    derive: (need) => platform.derive(need.secret, need.salting),
    verifyEd25519: (need) => platform.verifyEd25519(need),
    sign: (need) => need.signer.sign(need.message),
    random: (need) => platform.random(need.bytes),
    verifyPassword: (need) => passwords.verify(need.password, need.hash, sourceOf(need.source)),
    findKey: (need) => need.finder.find(need.now),
    verify: (need) => platform.verify(need.key, need.text, need.signature),
    askApplication: (need) => need.check(need.value, need.caller),
    consult: (need) => need.source.find(need.question),
  }
}
