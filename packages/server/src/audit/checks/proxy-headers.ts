/** O9: fields that only a proxy may set are believed from anybody. */
import type { Header } from '../answer.ts'
import type { Check, Finding } from '../check.ts'
import { isSomebody, sight } from '../needs.ts'
import { describeView } from '../oracle.ts'
import { anonymous } from '../presented.ts'

const somebody = ['admin', 'root', 'administrator', '1'] as const

/** Families of fields, each tried on its own. */
function families(host: string): readonly (readonly [name: string, headers: readonly Header[]])[] {
  const certificate = `:${Buffer.from('countersign-audit').toString('base64')}:`
  return [
    [
      'X-Forwarded-For of loopback',
      [
        ['X-Forwarded-For', '127.0.0.1'],
        ['X-Real-IP', '127.0.0.1'],
      ],
    ],
    ['Forwarded of loopback', [['Forwarded', `for=127.0.0.1;proto=https;host=${host}`]]],
    [
      'X-Forwarded-Uri',
      [
        ['X-Forwarded-Uri', '/public'],
        ['X-Original-URL', '/public'],
        ['X-Rewrite-URL', '/public'],
      ],
    ],
    [
      'X-Forwarded-Host',
      [
        ['X-Forwarded-Host', host],
        ['X-Forwarded-Proto', 'https'],
      ],
    ],
    ...somebody.map((user): readonly [string, readonly Header[]] => [
      `X-Forwarded-User ${user}`,
      [
        'X-Forwarded-User',
        'X-Remote-User',
        'Remote-User',
        'X-Auth-Request-User',
        'X-User',
        'X-Authenticated-User',
      ].map((name): Header => [name, user]),
    ]),
    ['Client-Cert', [['Client-Cert', certificate]]],
    [
      'X-SSL-Client',
      [
        ['X-SSL-Client-Verify', 'SUCCESS'],
        ['X-SSL-Client-S-DN', 'CN=admin'],
        ['X-Client-DN', 'CN=admin'],
        ['SSL_CLIENT_S_DN', 'CN=admin'],
      ],
    ],
    ['X-Forwarded-Client-Cert', [['X-Forwarded-Client-Cert', `Subject="CN=admin";URI=spiffe://local/admin`]]],
  ]
}

/** Spoofed proxy fields. */
export const proxyHeaders: Check = {
  id: 'O9',
  title: 'Fields that only a proxy may set are believed',
  cwe: [290, 348],
  asvs: ['4.1.3', '15.3.4', '12.1.3'],
  safety: 'A',
  needs: [sight],
  why: 'A server behind a proxy learns from header fields who the client is. Where it believes them from any connection, everybody writes them himself.',
  remedy: {
    text: 'Believe such fields only from the addresses of your own proxies, have the proxy overwrite them, and authenticate the way between both.',
    ws: "const trusted = new BlockList()\ntrusted.addAddress('10.0.0.7')\nconst user = trusted.check(request.socket.remoteAddress) ? request.headers['x-forwarded-user'] : undefined",
    socketIo:
      "io.engine.use((request, response, next) => {\n  if (!trusted.check(request.socket.remoteAddress)) delete request.headers['x-forwarded-user']\n  next()\n})",
    countersign:
      "guardUpgrades(server, wss, guard, { proxies: { trusted: ['10.0.0.7'], header: 'x-forwarded-for' } })",
  },
  async run(scene) {
    const { oracle, endpoint } = scene
    const all = families(endpoint.url.host)
    const findings: Finding[] = []
    const sights = await Promise.all(all.map(([, headers]) => oracle.look(anonymous, { headers })))
    for (const [index, { view, exchange }] of sights.entries()) {
      const [name = ''] = all[index] ?? []
      if (!isSomebody(view, scene)) continue
      findings.push({
        says: `with ${name} and no credential one is ${describeView(view)}`,
        severity: 'critical',
        confidence: 'high',
        subject: name,
        exchanges: [exchange],
      })
    }
    if (findings.length > 0) return { kind: 'fail', findings }
    return { kind: 'pass', says: `none of ${all.length} families of fields makes anybody of nobody` }
  },
}
