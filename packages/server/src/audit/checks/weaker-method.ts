/** A16: whoever asks for the weakest method gets it. */
import { ChallengeTalk, speaksChallenges, type Said } from '../challenge-talk.ts'
import type { Check, Finding, Scene } from '../check.ts'
import type { WampSecret } from '../presented.ts'
import { failOr, finding, notTested, pass } from '../verdict.ts'

/** Lists of methods that prove nothing. */
const proofless: readonly (readonly string[])[] = [['anonymous'], [], ['none'], ['plain']]

/** Downgrade of the method. */
export const weakerMethod: Check = {
  id: 'A16',
  title: 'A weaker method than the one in use opens the same account',
  cwe: [757, 287],
  asvs: ['6.3.4'],
  safety: 'A',
  needs: [
    speaksChallenges,
    {
      missing: 'an identity "low" with a secret for challenges (identities.low.wamp)',
      met: ({ low }) => low?.wamp !== undefined,
    },
  ],
  why: 'The client says which methods it can; whoever stands between the two, or pretends to be a client, says the weakest. An account is as safe as the weakest method that opens it.',
  remedy: {
    text: 'Decide on the server which methods open which account; never take a name for granted without a proof, and never ask for a secret itself where a proof would do, least of all over cleartext.',
    ws: "const method = accounts.get(hello.authid)?.method ?? 'wampcra' // not what the client would like",
    socketIo:
      "io.use((socket, next) => next(socket.handshake.auth.method === 'anonymous' ? new Error('unauthorized') : undefined))",
    countersign:
      'createGuard({ accept: [wampcra({ from: wampHello() })] }) // what is not listed is not offered',
  },
  async run(scene) {
    const secret = scene.low?.wamp
    if (secret === undefined) return notTested('an identity "low" with a secret for challenges')
    const findings: Finding[] = []
    for (const methods of proofless) findings.push(...(await withoutProof(scene, secret, methods)))
    findings.push(...(await withSecretInClear(scene, secret)))
    return failOr(
      findings.slice(0, 6),
      pass(`without a proof, and with none but the secret itself, ${secret.authid} is nobody`),
    )
  },
}

/** Claims the name, and offers no proof. */
async function withoutProof(
  scene: Scene,
  { authid }: WampSecret,
  methods: readonly string[],
): Promise<readonly Finding[]> {
  const talk = await ChallengeTalk.open(scene)
  try {
    const said = await talk.hello({ authid, methods })
    if (said.kind !== 'accepted') return []
    const name = nameOf(said) ?? (await nameOnSocket(scene, talk))
    if (name !== authid) return []
    const offered = methods.length === 0 ? 'no method at all' : `the method ${methods.join(', ')}`
    const says = `who offers ${offered} is welcomed as ${authid}`
    return [finding('critical', says, { subject: methods.join(' '), exchanges: [talk.exchange] })]
  } finally {
    await talk.leave()
  }
}

function nameOf({ details }: Extract<Said, { kind: 'accepted' }>): unknown {
  return details['authid'] ?? details['subject']
}

/** Where the welcome names nobody, the socket may. */
async function nameOnSocket({ oracle }: Scene, { visit }: ChallengeTalk): Promise<string | undefined> {
  const view = await oracle.ask(visit)
  return view.kind === 'open' ? view.identity : undefined
}

/** Asks to hand over the secret as a ticket. It is handed over only where nobody can listen. */
async function withSecretInClear(
  scene: Scene,
  { authid, method, secret }: WampSecret,
): Promise<readonly Finding[]> {
  const talk = await ChallengeTalk.open(scene)
  try {
    const said = await talk.hello({ authid, methods: ['ticket'] })
    if (said.kind !== 'challenge' || said.method !== 'ticket') return []
    if (canBeHeard(scene)) {
      const says = 'the target asks for the secret itself, over a line that anybody on the path can read'
      return [finding('medium', says, { subject: 'ticket over cleartext', exchanges: [talk.exchange] })]
    }
    if (method === 'ticket' || (await talk.answer(secret)).kind !== 'accepted') return []
    const says = `the secret of ${authid}, which never has to travel, is taken as it is, too`
    return [finding('medium', says, { subject: 'ticket', exchanges: [talk.exchange] })]
  } finally {
    await talk.leave()
  }
}

/** Cleartext that leaves this machine. */
function canBeHeard({ endpoint: { url } }: Scene): boolean {
  return url.protocol === 'ws:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)
}
