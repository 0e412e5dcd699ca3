/** O5: everything in the handshake is known to an attacker beforehand. */
import type { Check } from '../check.ts'
import { ambientBesides, isSomebody, low, sight } from '../needs.ts'
import { describeView } from '../oracle.ts'
import { anonymous, type Presented } from '../presented.ts'
import { foreignOrigin } from './cross-site.ts'

/** No unpredictable value in the handshake. */
export const foreseeableHandshake: Check = {
  id: 'O5',
  title: 'Nothing in the handshake is unpredictable',
  cwe: [352],
  asvs: ['3.5.1', '4.4.4'],
  safety: 'A',
  needs: [sight, low, ambientBesides],
  why: 'Where a cookie alone opens the socket, the Origin field is the only thing between a visitor and a hostile page. A value that only the own page knows is a second one.',
  remedy: {
    text: 'Let the page ask for a single-use ticket or a CSRF token, and demand it in the handshake beside the cookie.',
    ws: "const ticket = new URL(request.url, 'http://localhost').searchParams.get('ticket')\nif (!tickets.delete(ticket)) return refuse(socket, 401)",
    socketIo:
      "io.use((socket, next) => next(tickets.delete(socket.handshake.auth.ticket) ? undefined : new Error('unauthorized')))",
    countersign: "preauth({ from: cookie('__Host-preauth'), csrf: query('csrf') })",
  },
  async run(scene) {
    const { oracle, low: identity } = scene
    if (identity === undefined) return { kind: 'not tested', missing: low.missing }
    const { headers, tls } = await identity.present()
    const cookies = headers.filter(([name]) => /^(cookie|authorization)$/i.test(name))
    const visitor: Presented = { ...anonymous, who: 'low', headers: cookies, tls }
    const what = tls === undefined ? 'the cookie' : 'what a browser sends by itself'
    const bare = await oracle.look(visitor)
    if (!isSomebody(bare.view, scene))
      return {
        kind: 'pass',
        says: `${what} alone does not open the socket: ${describeView(bare.view)}`,
        exchanges: [bare.exchange],
      }
    const foreign = await oracle.look(visitor, { origins: [foreignOrigin] })
    if (!isSomebody(foreign.view, scene))
      return {
        kind: 'info',
        says: `${what} alone opens the socket; the check of Origin is what keeps foreign pages out`,
        exchanges: [bare.exchange],
      }
    return {
      kind: 'fail',
      findings: [
        {
          says: `${what} alone opens the socket, from any page: ${describeView(foreign.view)}`,
          severity: 'medium',
          confidence: 'high',
          exchanges: [foreign.exchange],
        },
      ],
    }
  },
}
