import { createGuard, memory, authorization, cookie, firstMessage, query, subprotocol } from 'countersign'
import { hmacSecret, jwt, password, session, ticket } from 'countersign/methods'
import { checkUpgrade } from '../packages/countersign/src/wire/upgrade.ts'
import { handshakeOf } from '../packages/countersign/src/adapters/handshake.ts'
import { hide } from '../packages/countersign/src/adapters/hide.ts'
import { findCredential } from '../packages/countersign/src/core/search.ts'
import { parseCompactJws } from '../packages/countersign/src/wire/jws.ts'
import { hmacSigner } from './rig/tokens.ts'
import { hash, createHmac, createSecretKey } from 'node:crypto'
const signer = hmacSigner(0)
const guard = createGuard({ records: memory(), audience: 'bench', origins: ['https://app.example.com'], hosts: ['app.example.com'],
  limits: { handshakesPerSecond: 1e9 }, passwords: { hash: () => '', verify: () => 'wrong' },
  accept: [ticket({ from: [query('ticket'), firstMessage()] }), session({ from: cookie('__Host-session') }),
    jwt({ from: [authorization('Bearer'), subprotocol()], issuer: 'https://id.example.com', audience: 'bench', algorithms: ['HS256'], keys: hmacSecret(Buffer.from(signer.key.jwk['k'] ?? '', 'base64url')), cacheSize: 0 }), password({ from: authorization('Basic') })] })
const headers: any = Object.create(null)
const pairs = ['Host','app.example.com','Connection','Upgrade','Pragma','no-cache','Cache-Control','no-cache','User-Agent','Mozilla/5.0 (X11; Linux x86_64)','Upgrade','websocket','Origin','https://app.example.com','Sec-WebSocket-Version','13','Accept-Encoding','gzip, deflate, br, zstd','Accept-Language','en-GB','Sec-WebSocket-Key','dGhlIHNhbXBsZSBub25jZQ==','Sec-WebSocket-Extensions','permessage-deflate; client_max_window_bits']
for (let i = 0; i < pairs.length; i += 2) headers[pairs[i]!.toLowerCase()] = pairs[i+1]
const req: any = { method: 'GET', httpVersion: '1.1', url: '/?ticket=' + 'cst_' + 'A'.repeat(43), headers, rawHeaders: pairs, socket: { remoteAddress: '127.0.0.1' } }
const sources = { trust: undefined, certificates: false }
const hs: any = handshakeOf(req, sources)
const token = signer.token()
const key = createSecretKey(Buffer.alloc(32, 1))
const tickets: string[] = []
async function time(name: string, f: () => unknown, prep?: () => Promise<void>) { let best = 1e9; for (let r = 0; r < 60; r++) { await prep?.(); const t = process.hrtime.bigint(); for (let i = 0; i < 500; i++) f(); best = Math.min(best, Number(process.hrtime.bigint() - t) / 500) } console.log(name.padEnd(20), best.toFixed(0), 'ns') }
await time('checkUpgrade', () => checkUpgrade(req))
await time('handshakeOf', () => handshakeOf(req, sources))
await time('hide', () => { req.url = '/?ticket=' + 'cst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'; hide(req, guard.hiding) })
await time('findCredential', () => findCredential(guard.places, hs))
await time('hash', () => hash('sha256', 'cst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'base64url'))
await time('hmac', () => createHmac('sha256', key).update(token).digest('base64'))
await time('parse jws', () => parseCompactJws(token))
let n = 0
await time('knock ticket', () => guard.knock({ ...hs, target: '/?ticket=' + tickets[n++] }), async () => { n = 0; tickets.length = 0; for (let i = 0; i < 500; i++) tickets.push((await guard.issue.ticket({ subject: 'u' + i, roles: ['m'] })).ticket); for (const l of guard.leases()) l.leave() })
await time('knock wrong ticket', () => guard.knock(hs))
await time('knock jwt', () => guard.knock({ ...hs, target: '/', authorization: 'Bearer ' + token }), async () => { for (const l of guard.leases()) l.leave() })
process.exit()
