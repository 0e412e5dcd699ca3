/** I11: errors that tell how the target is built. */
import type { Check, Finding, Scene } from '../check.ts'
import type { Exchange } from '../exchange.ts'
import { mutationsOf } from '../mutations.ts'
import { RawTalk } from '../raw-talk.ts'
import { samplesOf } from '../sample-messages.ts'
import { enterAsSomebody, stayAsSomebody } from '../staying.ts'

const maxMessages = 44
const readMs = 200
const answerMs = 700

interface Trace {
  readonly name: string
  readonly pattern: RegExp
  /** Worth knowing, and no finding. */
  readonly banner?: true
}

/** What errors give away. None of it is in what the check sends. */
const traces: readonly Trace[] = [
  {
    name: 'a stack trace of JavaScript',
    pattern: /\bat (?:[\w.<>$ [\]]+ )?\(?(?:file:\/\/|node:|\/|[A-Z]:\\)[^\s()]+:\d+:\d+\)?/,
  },
  { name: 'a stack trace of Python', pattern: /Traceback \(most recent call last\)|File "[^"]+", line \d+/ },
  {
    name: 'a stack trace of Java or .NET',
    pattern: /\bat [\w.$]+\([\w$]+\.(?:java|kt|scala):\d+\)|\bat [\w.]+\(.*\) in [^\s]+\.cs:line \d+/,
  },
  {
    name: 'a stack trace of Go, Ruby or PHP',
    pattern: /goroutine \d+ \[running\]|\.rb:\d+:in [`']|(?:Fatal error|Warning): .* in \/[^\s]+\.php/,
  },
  {
    name: 'an error of a database',
    pattern:
      /SQLSTATE\[|syntax error at or near|ORA-\d{5}|SQLITE_[A-Z]+|You have an error in your SQL syntax|SequelizeDatabaseError|MongoServerError|PrismaClient\w*Error/,
  },
  {
    name: 'a path of its machine',
    pattern:
      /(?:\/(?:home|usr\/src|var\/www|srv|opt)\/[\w.-]+\/[\w./-]+|node_modules\/[\w@.-]+|[A-Z]:\\(?:Users|inetpub)\\)/,
  },
  {
    name: 'an address of its network',
    pattern: /\b(?:10(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2})\b/,
  },
  {
    name: 'a message of its runtime',
    pattern:
      /Cannot read propert(?:y|ies) of (?:undefined|null)|is not a function\b|NullPointerException|Unexpected token .{1,20} in JSON|is not valid JSON/,
  },
  { name: 'the name of its framework', pattern: /^x-powered-by: \S+/im, banner: true },
  { name: 'the version of its server', pattern: /^server: \S+\/\d+[\d.]*/im, banner: true },
]

/** Verbose errors. */
export const verboseErrors: Check = {
  id: 'I11',
  title: 'Errors tell how the target is built',
  cwe: [209, 200],
  asvs: ['16.5.1', '13.4.6'],
  safety: 'P',
  needs: [],
  why: 'Paths, queries and versions save an attacker the search for what else may work.',
  remedy: {
    text: 'Answer errors with a fixed word and an id under which your log has the rest.',
    ws: "try { handle(data) } catch (error) {\n  const id = randomUUID()\n  log.error({ id, error })\n  ws.send(JSON.stringify({ type: 'error', reason: 'internal', id }))\n}",
    socketIo: "socket.on('error', () => socket.emit('oops', { reason: 'internal' })) // never err.message",
    countersign: '// refusals are words of a table: see docs/guide/reasons.md',
  },
  async run(scene) {
    const exchanges = [...(await provokeHttp(scene)), ...(await provokeMessages(scene))]
    const own = scene.endpoint.url.hostname
    const seen = traces.flatMap((trace) => {
      const where = exchanges.find((exchange) =>
        exchange.some(({ from, text }) => from === 'target' && trace.pattern.test(text.replaceAll(own, ''))),
      )
      return where === undefined ? [] : [{ ...trace, where }]
    })
    const findings = seen
      .filter(({ banner }) => banner !== true)
      .map(({ name, where }): Finding => ({
        says: `an answer holds ${name}`,
        severity: 'low',
        confidence: 'low',
        subject: name,
        exchanges: [where],
      }))
    if (findings.length > 0) return { kind: 'fail', findings }
    if (seen.length > 0)
      return {
        kind: 'info',
        says: `answers hold ${seen.map(({ name }) => name).join(' and ')}`,
        exchanges: seen.map(({ where }) => where),
      }
    return {
      kind: 'pass',
      says: `${exchanges.length} provoked errors tell nothing`,
      exchanges: exchanges.slice(0, 1),
    }
  },
}

async function provokeHttp({ endpoint, needs }: Scene): Promise<readonly Exchange[]> {
  const { pathname, host } = endpoint.url
  const ask = (line: string, ...fields: readonly string[]): string =>
    [line, `Host: ${host}`, 'Connection: close', ...fields, '', ''].join('\r\n')
  const requests = [
    ask(`GET ${pathname}%00%ff' HTTP/1.1`),
    ask(`POST ${pathname} HTTP/1.1`, 'Content-Type: application/json', 'Content-Length: 1') + '{',
    ask(`GET ${pathname}?id[]=1&id[__a]=%E0%A4%A HTTP/1.1`),
    ask(`GET ${pathname} HTTP/1.1`, 'Upgrade: websocket', 'Sec-WebSocket-Version: 13').replace(
      'close',
      'Upgrade',
    ),
    `GET ${pathname} HTTP/9.9\r\n\r\n`,
  ]
  return Promise.all(
    requests.map(async (request) => {
      const talk = await RawTalk.open(needs, endpoint.url)
      talk.write(request)
      await talk.head(answerMs)
      await talk.closed(answerMs)
      if (talk.heard.length > 0) talk.hears(talk.heard.toString('utf8'))
      talk.leave()
      return talk.exchange
    }),
  )
}

async function provokeMessages(scene: Scene): Promise<readonly Exchange[]> {
  const [sample] = samplesOf(scene)
  if (sample === undefined) return []
  const exchanges: Exchange[] = []
  let stay = await stayAsSomebody(scene)
  for (const { text } of mutationsOf(sample).slice(0, maxMessages)) {
    if (!stay.visit.live || stay.exchange.length > 20) {
      await stay.visit.leave()
      exchanges.push(stay.exchange)
      stay = await enterAsSomebody(scene)
    }
    if (stay.view.kind !== 'open') break
    stay.visit.send(text)
    await stay.visit.pinged(readMs)
  }
  await scene.oracle.hear(stay.visit, () => false, readMs)
  await stay.visit.leave()
  return [...exchanges, stay.exchange]
}
