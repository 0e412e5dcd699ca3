/** A1: the page asks for a login, the socket behind it does not. */
import type { Check } from '../check.ts'
import { sight } from '../needs.ts'
import { describeView } from '../oracle.ts'
import { anonymous } from '../presented.ts'

/** A socket without authentication. */
export const openSocket: Check = {
  id: 'A1',
  title: 'The socket is open to anybody although its page needs a login',
  cwe: [306],
  asvs: ['4.4.3', '8.3.1'],
  safety: 'A',
  needs: [sight],
  why: 'A login page in front of a socket protects nothing: an attacker opens the socket itself.',
  remedy: {
    text: 'Authenticate the socket: at the handshake, or by its first message, before anything is sent to it.',
    ws: "server.on('upgrade', async (request, socket, head) => {\n  const session = await sessionOf(request.headers.cookie)\n  if (!session) return socket.end('HTTP/1.1 401 Unauthorized\\r\\nConnection: close\\r\\n\\r\\n')\n  wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request, session))\n})",
    socketIo:
      "io.use(async (socket, next) => next((await verify(socket.handshake.auth.token)) ? undefined : new Error('unauthorized')))",
    countersign: 'guardUpgrades(server, wss, createGuard({ accept: [ticket({ from: query() })] }))',
  },
  async run({ oracle, options, baseline }) {
    const { view, exchange } = await oracle.look(anonymous)
    if (view.kind === 'unreachable')
      return { kind: 'inconclusive', says: describeView(view), exchanges: [exchange] }
    if (view.kind === 'refused')
      return { kind: 'pass', says: `without a credential: ${describeView(view)}`, exchanges: [exchange] }
    const low = baseline.low?.view
    const asLow = low?.kind === 'open' && low.identity !== undefined && low.identity === view.identity
    if (view.heard.length === 0 && !asLow)
      return {
        kind: 'info',
        says: `anybody may open the socket; nothing private was heard there (${describeView(view)})`,
        exchanges: [exchange],
      }
    if (options.public === true)
      return { kind: 'info', says: 'declared public: anybody hears what it says', exchanges: [exchange] }
    return {
      kind: 'fail',
      findings: [
        {
          says: asLow
            ? `without any credential the target says that one is ${view.identity ?? ''}`
            : `without any credential private data is heard: ${view.heard.join(', ')}`,
          severity: 'high',
          confidence: 'high',
          exchanges: [exchange],
        },
      ],
    }
  },
}
