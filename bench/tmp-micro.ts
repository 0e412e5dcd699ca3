import { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { authorization, cookie, createGuard, firstMessage, memory, query, subprotocol } from 'countersign'
import { hmacSecret, jwt, password, session, ticket } from 'countersign/methods'
import { judgeUpgrades } from 'countersign/http'
import { hmacSigner } from './rig/tokens.ts'
import { handshakeRequest } from './rig/requests.ts'
const signer = hmacSigner(0)
const guard = createGuard({ records: memory(), audience: 'bench', origins: ['https://app.example.com'], hosts: ['app.example.com'],
  limits: { handshakesPerSecond: 1e9 }, passwords: { hash: () => '', verify: () => 'wrong' },
  accept: [ticket({ from: [query('ticket'), firstMessage()] }), session({ from: cookie('__Host-session') }),
    jwt({ from: [authorization('Bearer'), subprotocol()], issuer: 'https://id.example.com', audience: 'bench', algorithms: ['HS256'], keys: hmacSecret(Buffer.from(signer.key.jwk['k'] ?? '', 'base64url')), cacheSize: Number(process.env.CACHE ?? 0) }), password({ from: authorization('Basic') })] })
const seenToken = signer.token()
let bad = 0
const steps = { accepted(u: any, d: any) { d.lease.hold(holder, u); if (!d.lease.open()) bad++; held.push(d.lease); if (held.length > 16) held.shift()!.leave() }, refused() { bad++ }, peer() { bad++ } }
const held: any[] = []
const holder: any = { warn() {}, close() {} }
const listener = judgeUpgrades(guard, steps as any)
const sock: any = new PassThrough(); sock.remoteAddress = '127.0.0.1'; sock.on = () => sock; sock.end = () => { bad++ }
function request(raw: Buffer): IncomingMessage {
  const [line = '', ...lines] = raw.toString('latin1').trimEnd().split('\r\n')
  const message: any = new IncomingMessage(sock)
  message.method = 'GET'; message.url = line.split(' ')[1]; message.httpVersion = '1.1'; message.httpVersionMajor = 1; message.httpVersionMinor = 1
  const list: string[] = []
  for (const l of lines) { const at = l.indexOf(':'); list.push(l.slice(0, at), l.slice(at + 2)) }
  message._addHeaderLines(list, list.length); message.rawHeaders = list
  void message.headers
  return message
}
const sess = (await guard.issue.session({ subject: 'u', roles: ['m'] })).session
const makers: Record<string, () => Promise<Buffer>> = {
  ticket: async () => handshakeRequest({ target: `/?ticket=${(await guard.issue.ticket({ subject: 'u', roles: ['m'] })).ticket}` }),
  session: async () => handshakeRequest({ lines: [`Cookie: theme=dark; __Host-session=${sess}`] }),
  seen: async () => handshakeRequest({ lines: [`Authorization: Bearer ${seenToken}`] }),
  jwt: async () => handshakeRequest({ lines: [`Authorization: Bearer ${signer.token()}`] }),
}
for (const kind of (process.argv[2] ?? 'ticket,session,jwt').split(',')) {
  let best = Infinity
  for (let round = 0; round < 40; round++) {
    const requests: IncomingMessage[] = []
    for (let i = 0; i < 1000; i++) requests.push(request(await makers[kind]!()))
    const head = Buffer.alloc(0)
    const before = process.cpuUsage()
    for (const r of requests) listener(r, sock, head)
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1000)
  }
  console.log(kind, best.toFixed(2), 'µs', bad)
}
process.exit()
