/** I15: credentials and forged lines in the target's own log. */
import { open, stat } from 'node:fs/promises'
import { newMarker } from '../canaries.ts'
import type { Check, Finding, Need, Scene } from '../check.ts'
import { Recorder, type Exchange } from '../exchange.ts'
import type { Identity } from '../identity.ts'
import { anonymous } from '../presented.ts'
import { samplesOf, withTexts } from '../sample-messages.ts'
import { stayAsSomebody } from '../staying.ts'

const maxLogBytes = 4_194_304
/** Time in which a log is written, milliseconds. */
const flushMs = 1_000

const secretNames = /pass|secret|token|pin|code/i
const minLength = 6
/** Shorter cookies are settings. */
const minCookieLength = 16

const logFile: Need = {
  missing: 'the file of the target’s log (logFile)',
  met: ({ options }) => options.logFile !== undefined,
}

/** A text that should not be in the log, and where it was said. */
interface Bait {
  readonly place: string
  readonly token: string
}

/** Secrets and line breaks in logs. */
export const loggedSecrets: Check = {
  id: 'I15',
  title: 'The log keeps credentials, or lines that a client wrote',
  cwe: [532, 117],
  asvs: ['16.2.5', '16.4.1'],
  safety: 'A',
  needs: [logFile],
  lastly: true,
  why: 'Logs are read by more people and kept for longer than any database of secrets. A token in them is a token for whoever reads them; a line break that a client sent is a line that the server seems to have written.',
  remedy: {
    text: 'Log paths without their queries, names of headers without their values, and texts of clients only encoded, as JSON for instance.',
    ws: "log.info({ path: new URL(request.url, 'http://x').pathname, user: user.id }) // pino writes JSON",
    socketIo: 'log.info({ namespace: socket.nsp.name, user: socket.data.user.id }) // not socket.handshake',
    countersign:
      'createGuard({ accept, journal: { record: (entry) => log.info(entry) } }) // entries hold no secret',
  },
  async run(scene) {
    const { logFile: path = '' } = scene.options
    const before = await sizeOf(path)
    if (before === undefined) return { kind: 'not tested', missing: `a log that can be read at ${path}` }
    const forged = newMarker()
    const baits = await layBaits(scene, forged)
    await scene.budget.pause(flushMs)
    const log = await readFrom(path, before)
    if (log === undefined) return { kind: 'not tested', missing: `a log that can be read at ${path}` }
    const findings = judge(scene, { log, baits, forged })
    if (findings.length > 0) return { kind: 'fail', findings }
    if (log === '')
      return { kind: 'inconclusive', says: 'nothing was written into the log while secrets were sent' }
    return {
      kind: 'pass',
      says: 'none of the secrets that were sent is in the log, and no line of a client’s',
    }
  },
}

async function layBaits(scene: Scene, forged: string): Promise<readonly Bait[]> {
  const { oracle } = scene
  const bait = (place: string): Bait => {
    const token = `cst-${newMarker()}`
    scene.needs.masking.learn(token)
    return { place, token }
  }
  const query = bait('the query')
  const header = bait('the Authorization header')
  const cookie = bait('a cookie')
  const message = bait('a message')
  await oracle.look({ ...anonymous, query: [['access_token', query.token]] })
  await oracle.look({
    ...anonymous,
    headers: [
      ['Authorization', `Bearer ${header.token}`],
      ['Cookie', `session=${cookie.token}`],
    ],
  })
  await oracle.look({ ...anonymous, query: [['name', `\r\n${forged} forged`]] })
  const { visit, view } = await stayAsSomebody(scene)
  if (view.kind === 'open') {
    visit.send(JSON.stringify({ type: 'auth', token: message.token, password: message.token }))
    for (const sample of samplesOf(scene))
      for (const text of withTexts(sample, `\r\n${forged} forged`)) visit.send(text)
    await visit.pinged(oracle.settleMs)
  }
  await visit.leave()
  return [query, header, cookie, message]
}

function judge(
  { needs, low, high }: Scene,
  { log, baits, forged }: { readonly log: string; readonly baits: readonly Bait[]; readonly forged: string },
): readonly Finding[] {
  const evidence = (has: (line: string) => boolean): readonly Exchange[] => {
    const recorder = new Recorder(needs.masking)
    recorder.add('note', `the log: ${log.split(/\r?\n/).find(has) ?? ''}`)
    return [recorder.exchange]
  }
  const found = (says: string, severity: Finding['severity'], has: (line: string) => boolean): Finding => ({
    says,
    severity,
    confidence: 'high',
    subject: says,
    exchanges: evidence(has),
  })
  const working = [...secretsOf(low), ...secretsOf(high)].filter((secret) => log.includes(secret))
  return [
    ...baits
      .filter(({ token }) => log.includes(token))
      .map(({ place, token }) =>
        found(`a credential from ${place} is in the log`, 'medium', (line) => line.includes(token)),
      ),
    ...working
      .slice(0, 1)
      .map((secret) =>
        found('a credential that works is in the log', 'high', (line) => line.includes(secret)),
      ),
    ...(new RegExp(`^${forged}`, 'm').test(log)
      ? [found('a line of the log was written by a client', 'low', (line) => line.startsWith(forged))]
      : []),
  ]
}

/** What an identity proves itself with for longer than one socket; names are none. */
function secretsOf(identity: Identity | undefined): readonly string[] {
  if (identity === undefined) return []
  const { wamp } = identity
  const { form, basic } = identity.options
  const fields = Object.entries(form?.fields ?? {}).filter(([name]) => secretNames.test(name))
  const cookies = identity
    .pageHeaders()
    .filter(([name]) => name === 'Cookie')
    .flatMap(([, value]) => value.split('; '))
    .map((pair) => pair.slice(pair.indexOf('=') + 1))
    .filter((value) => value.length >= minCookieLength)
  const password = basic?.slice(basic.indexOf(':') + 1)
  return [...fields.map(([, value]) => value), ...cookies, password, wamp?.secret].filter(
    (secret): secret is string => secret !== undefined && secret.length >= minLength,
  )
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : undefined
  } catch {
    return undefined
  }
}

/** What was written since, as far as it is short. */
async function readFrom(path: string, start: number): Promise<string | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      const buffer = Buffer.alloc(maxLogBytes)
      const { bytesRead } = await file.read(buffer, 0, maxLogBytes, start)
      return buffer.subarray(0, bytesRead).toString('utf8')
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}
