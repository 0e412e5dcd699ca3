/** O4: the server answers to any name, and so to one that an attacker points at it. */
import type { Check } from '../check.ts'
import { describeView } from '../oracle.ts'
import { anonymous } from '../presented.ts'

const reboundName = 'rebound.invalid'

/** DNS rebinding. */
export const foreignHost: Check = {
  id: 'O4',
  title: 'The socket answers to a foreign Host',
  cwe: [350, 346],
  asvs: ['3.5.4', '4.1.3'],
  safety: 'A',
  needs: [],
  why: 'A page may let its own name lead to 127.0.0.1 or to an address of the visitor’s network once it is loaded. The browser then takes the local server for the page’s own: Origin and Host agree, and only a list of names shows the difference.',
  remedy: {
    text: 'Keep a list of the names under which the server is reached, and answer 421 to any other Host.',
    ws: "const hosts = new Set(['app.example.com', 'localhost:3000'])\nif (!hosts.has(request.headers.host)) return refuse(socket, 421)",
    socketIo:
      "const hosts = new Set(['app.example.com'])\nnew Server(server, { allowRequest: (request, answer) => answer(null, hosts.has(request.headers.host)) })",
    countersign: "createGuard({ hosts: ['app.example.com'], accept })",
  },
  async run(scene) {
    const { oracle, low, baseline, endpoint } = scene
    const enters = low !== undefined && baseline.low?.view.kind === 'open'
    const origin = `${endpoint.url.protocol === 'wss:' ? 'https' : 'http'}://${reboundName}`
    const presented = enters ? await low.present() : anonymous
    const rebound = await oracle.look(presented, { host: reboundName, origins: [origin] })
    if (rebound.view.kind !== 'open')
      return {
        kind: 'pass',
        says: `a page under a foreign name is ${describeView(rebound.view)}`,
        exchanges: [rebound.exchange],
      }
    if (endpoint.url.protocol === 'wss:')
      return {
        kind: 'info',
        says: 'a foreign Host is answered; behind TLS the certificate’s name keeps rebinding away',
        exchanges: [rebound.exchange],
      }
    return {
      kind: 'fail',
      findings: [
        {
          says: `with Host and Origin ${reboundName} the socket is ${describeView(rebound.view)}`,
          severity: 'medium',
          confidence: 'medium',
          exchanges: [rebound.exchange],
        },
      ],
    }
  },
}
