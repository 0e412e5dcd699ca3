/** O5: everything in the handshake is known to an attacker beforehand. */
import type { Check } from '../check.ts'
import { ambientBesides, isSomebody, low, sight } from '../needs.ts'
import { describeView } from '../oracle.ts'
import { anonymous } from '../presented.ts'
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
    const presented = await identity.present()
    const cookies = presented.headers.filter(([name]) => /^(cookie|authorization)$/i.test(name))
    const bare = await oracle.look({ ...anonymous, who: 'low', headers: cookies })
    if (!isSomebody(bare.view, scene))
      return {
        kind: 'pass',
        says: `the cookie alone does not open the socket: ${describeView(bare.view)}`,
        exchanges: [bare.exchange],
      }
    const foreign = await oracle.look(
      { ...anonymous, who: 'low', headers: cookies },
      { origins: [foreignOrigin] },
    )
    if (!isSomebody(foreign.view, scene))
      return {
        kind: 'info',
        says: 'the cookie alone opens the socket; the check of Origin is what keeps foreign pages out',
        exchanges: [bare.exchange],
      }
    return {
      kind: 'fail',
      findings: [
        {
          says: `the cookie alone opens the socket, from any page: ${describeView(foreign.view)}`,
          severity: 'medium',
          confidence: 'high',
          exchanges: [foreign.exchange],
        },
      ],
    }
  },
}
