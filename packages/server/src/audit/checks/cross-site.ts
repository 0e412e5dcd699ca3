/** O1: a page on another origin opens a socket in its visitor's name. */
import type { Check } from '../check.ts'
import { foreignGain, lookFromPage } from '../foreign-page.ts'
import { isSomebody, sight } from '../needs.ts'
import { anonymous } from '../presented.ts'
import { describeView } from '../oracle.ts'

/** An origin that no target can have allowed (RFC 2606). */
export const foreignOrigin = 'https://cswsh.invalid'

/** Cross-site WebSocket hijacking. */
export const crossSite: Check = {
  id: 'O1',
  title: 'A foreign page opens the socket in its visitor’s name',
  cwe: [1385, 352],
  asvs: ['4.4.2', '3.5.1'],
  safety: 'A',
  needs: [sight, foreignGain],
  why: 'Browsers send cookies, Basic credentials and client certificates with a WebSocket handshake whatever page opens it. Only the Origin field tells the server which page that is.',
  remedy: {
    text: 'Compare Origin with the exact origins of your own pages before answering 101, and refuse with 403 (RFC 6455 §10.2).',
    ws: "server.on('upgrade', (request, socket, head) => {\n  if (request.headers.origin !== 'https://app.example.com') {\n    socket.end('HTTP/1.1 403 Forbidden\\r\\nConnection: close\\r\\n\\r\\n')\n    return\n  }\n  wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request))\n})",
    socketIo:
      "new Server(server, {\n  allowRequest: (request, answer) => answer(null, request.headers.origin === 'https://app.example.com'),\n})",
    countersign:
      "createGuard({ origins: ['https://app.example.com'], accept: [session({ from: cookie('__Host-session') })] })",
  },
  async run(scene) {
    const { oracle, low: identity } = scene
    if (identity?.ambient === true) {
      const good = await oracle.look(await identity.present())
      if (!isSomebody(good.view, scene))
        return {
          kind: 'inconclusive',
          says: `from its own page the identity "low" is nobody in particular: ${describeView(good.view)}`,
          exchanges: [good.exchange],
        }
    }
    const foreign = await lookFromPage(scene, [foreignOrigin])
    if (foreign.gains)
      return {
        kind: 'fail',
        findings: [
          {
            says: `a page on ${foreignOrigin} gets the socket that belongs to the visitor: ${describeView(foreign.view)}`,
            severity: 'high',
            confidence: 'high',
            exchanges: [foreign.exchange],
          },
        ],
      }
    const stranger = await oracle.look(anonymous, { origins: [foreignOrigin] })
    if (foreign.view.kind === 'open')
      return {
        kind: 'info',
        says: `the socket opens for foreign pages, too, but only as for anybody: ${describeView(stranger.view)}`,
        exchanges: [foreign.exchange],
      }
    return {
      kind: 'pass',
      says: `a foreign page is ${describeView(foreign.view)}`,
      exchanges: [foreign.exchange],
    }
  },
}
