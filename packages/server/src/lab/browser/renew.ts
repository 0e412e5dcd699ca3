/** Renews the lease of a socket on that socket, by the frames that opened it. */
import type { Credential } from './credential.ts'
import type { Line } from './inbox.ts'
import { readChallenge } from './challenge.ts'
import { signatureBy } from './knock.ts'
import { planAt } from './plan.ts'

/** What the socket is renewed by. */
export interface Renewal {
  /** How it came in. */
  readonly at: 'first-json' | 'challenge'
  readonly credential: Credential
  /** Longest wait for `auth_expiring`, ms. */
  readonly patienceMs: number
}

/** How long the server may take to answer, ms. */
const answerMs = 3_000

/** Waits until the server warns, then renews. @returns the word of a refusal; `undefined` when it was renewed */
export async function renewInBand(
  line: Line,
  { at, credential, patienceMs }: Renewal,
): Promise<string | undefined> {
  if ((await line.hear(['auth_expiring'], patienceMs)) === undefined) return 'no auth_expiring came'
  const { first, prover } = planAt(at, { url: '', credential, oldSignature: '' })
  for (const text of first) line.say(text)
  const answer = await line.hear(['auth_ok', 'auth_invalid', 'challenge'], answerMs)
  const challenge = answer === undefined ? undefined : readChallenge(answer)
  if (prover === undefined || challenge === undefined) return refusalIn(answer)
  const signature = await signatureBy(prover, challenge)
  line.say(JSON.stringify({ type: 'authenticate', signature }))
  return refusalIn(await line.hear(['auth_ok', 'auth_invalid'], answerMs))
}

function refusalIn(answer: Awaited<ReturnType<Line['hear']>>): string | undefined {
  if (answer === undefined) return 'no answer came'
  return answer['type'] === 'auth_ok' ? undefined : String(answer['reason'])
}
