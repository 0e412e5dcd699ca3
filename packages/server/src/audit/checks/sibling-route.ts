/** O7: another path of the same server opens without what this one asks for. */
import type { Check, Finding } from '../check.ts'
import { isSomebody, sight } from '../needs.ts'
import { describeView, type Sight } from '../oracle.ts'
import { oracleFor } from '../oracle-for.ts'
import { anonymous } from '../presented.ts'
import type { Protocol } from '../target.ts'

type Place = readonly [path: string, protocol: Protocol]

/** Where servers and their development tools open sockets. */
const paths: readonly Place[] = [
  ['/', 'plain'],
  ['/ws', 'plain'],
  ['/websocket', 'plain'],
  ['/socket', 'plain'],
  ['/api/ws', 'plain'],
  ['/realtime', 'plain'],
  ['/terminal/ws', 'plain'],
  ['/admin/ws', 'plain'],
  ['/debug', 'plain'],
  ['/cable', 'plain'],
  ['/signalr', 'plain'],
  ['/sockjs/websocket', 'plain'],
  ['/_next/webpack-hmr', 'plain'],
  ['/engine.io/', 'socket.io'],
  ['/socket.io/', 'socket.io'],
  ['/graphql', 'graphql-transport-ws'],
]

const absentPath = '/countersign-audit-no-such-path'

/** An unguarded route. */
export const siblingRoute: Check = {
  id: 'O7',
  title: 'A second path opens without a credential',
  cwe: [288, 306],
  asvs: ['6.3.4', '13.4.5'],
  safety: 'A',
  needs: [sight],
  why: 'Authentication that is added route by route is forgotten on one of them: a terminal, a development server, an older endpoint.',
  remedy: {
    text: 'Authenticate in one place before any route is looked at, and refuse paths that have no policy.',
    ws: "server.on('upgrade', (request, socket, head) => {\n  const route = routes.get(new URL(request.url, 'http://localhost').pathname)\n  if (!route || !authenticated(request)) return refuse(socket, 401)\n  route.handleUpgrade(request, socket, head, (ws) => route.emit('connection', ws, request))\n})",
    socketIo: 'new Server(server, { allowRequest }) // before any namespace or transport',
    countersign:
      'guardUpgrades(server, wss, guard) // one guard before every path; behind it, route by request.url',
  },
  async run(scene) {
    const own = scene.endpoint.url.pathname
    const candidates = paths.filter(([path]) => path !== own)
    const findings: Finding[] = []
    const open: string[] = []
    const [absent, ...sights] = await lookAt([[absentPath, 'plain'], ...candidates])
    for (const [index, { view, exchange }] of sights.entries()) {
      const [path = ''] = candidates[index] ?? []
      if (view.kind !== 'open') continue
      if (isSomebody(view, scene))
        findings.push({
          says: `${path} is ${describeView(view)} without any credential`,
          severity: 'high',
          confidence: 'high',
          subject: path,
          exchanges: [exchange],
        })
      else if (absent?.view.kind !== 'open') open.push(path)
    }
    if (findings.length > 0) return { kind: 'fail', findings }
    if (open.length > 0)
      return {
        kind: 'info',
        says: `these paths open for anybody, and say nothing private: ${open.join(', ')}`,
      }
    if (absent?.view.kind === 'open' && absent.view.heard.length > 0 && scene.options.public !== true)
      return {
        kind: 'fail',
        findings: [
          {
            says: 'every path opens a socket for anybody, and private data is heard there',
            severity: 'medium',
            confidence: 'high',
            subject: 'every path',
            exchanges: [absent.exchange],
          },
        ],
      }
    if (absent?.view.kind === 'open')
      return {
        kind: 'info',
        says: 'every path opens a socket, on which nothing private is heard',
        exchanges: [absent.exchange],
      }
    return { kind: 'pass', says: `none of ${candidates.length} other paths opens without a credential` }

    // At once: a target that answers nothing to a path lets the scanner wait as long as it is patient.
    function lookAt(places: readonly Place[]): Promise<readonly Sight[]> {
      return Promise.all(
        places.map(([path, protocol]) =>
          oracleFor(scene, protocol, { url: new URL(path, scene.endpoint.url) }).look(anonymous),
        ),
      )
    }
  },
}
