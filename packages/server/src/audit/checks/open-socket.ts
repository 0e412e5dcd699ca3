/** A1: the page asks for a login, the socket behind it does not. */
import type { Check, Scene } from '../check.ts'
import type { TlsOptions } from '../dial.ts'
import { requestPage } from '../page-request.ts'
import { describeView } from '../oracle.ts'
import { anonymous } from '../presented.ts'

/** A socket without authentication. */
export const openSocket: Check = {
  id: 'A1',
  title: 'The socket is open to anybody although its page needs a login',
  cwe: [306],
  asvs: ['4.4.3', '8.3.1'],
  safety: 'A',
  needs: [
    {
      missing: 'a whoami probe, patterns of private data, or the page that opens the socket',
      met: ({ oracle, endpoint }) => oracle.sees || endpoint.page !== undefined,
    },
  ],
  why: 'A login page in front of a socket protects nothing: an attacker opens the socket itself.',
  remedy: {
    text: 'Authenticate the socket: at the handshake, or by its first message, before anything is sent to it.',
    ws: "server.on('upgrade', async (request, socket, head) => {\n  const session = await sessionOf(request.headers.cookie)\n  if (!session) return socket.end('HTTP/1.1 401 Unauthorized\\r\\nConnection: close\\r\\n\\r\\n')\n  wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request, session))\n})",
    socketIo:
      "io.use(async (socket, next) => next((await verify(socket.handshake.auth.token)) ? undefined : new Error('unauthorized')))",
    countersign: 'guardUpgrades(server, wss, createGuard({ accept: [ticket({ from: query() })] }))',
  },
  async run(scene) {
    const { oracle, options, baseline, needs } = scene
    const gate = await gateOf(scene)
    // A certificate that every connection shows is a credential, too.
    const certified = needs.tls.cert !== undefined || needs.tls.pfx !== undefined
    const { view, exchange } = await oracle.look(anonymous, certified ? { tls: noCertificate } : {})
    if (view.kind === 'unreachable' && !certified)
      return { kind: 'inconclusive', says: describeView(view), exchanges: [exchange] }
    if (view.kind !== 'open')
      return { kind: 'pass', says: `without a credential: ${describeView(view)}`, exchanges: [exchange] }
    const low = baseline.low?.view
    const asLow = low?.kind === 'open' && low.identity !== undefined && low.identity === view.identity
    if (view.heard.length === 0 && !asLow)
      return {
        kind: 'info',
        says: `${gate}anybody may open the socket; nothing private was heard there (${describeView(view)})`,
        exchanges: [exchange],
      }
    if (options.public === true)
      return { kind: 'info', says: 'declared public: anybody hears what it says', exchanges: [exchange] }
    return {
      kind: 'fail',
      findings: [
        {
          says: asLow
            ? `${gate}without any credential the target says that one is ${view.identity ?? ''}`
            : `${gate}without any credential private data is heard: ${view.heard.join(', ')}`,
          severity: 'high',
          confidence: 'high',
          exchanges: [exchange],
        },
      ],
    }
  },
}

const noCertificate: TlsOptions = { cert: undefined, key: undefined, pfx: undefined }

/** Whether the page in front of the socket asks for a login, as the beginning of a sentence; nothing where it is not known. */
async function gateOf({ endpoint, needs }: Scene): Promise<string> {
  if (endpoint.page === undefined) return ''
  const answer = await requestPage(needs, { url: endpoint.page })
  if (answer.kind === 'failed') return ''
  const asks = answer.status === 401 || answer.status === 403 || (answer.status >= 300 && answer.status < 400)
  return asks
    ? `the page asks strangers for a login (${answer.status}); `
    : `the page is open to anybody (${answer.status}); `
}
