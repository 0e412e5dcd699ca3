/** A3: sockets that say nothing stay for ever. */
import type { Check } from '../check.ts'
import { anonymous } from '../presented.ts'
import { Visit } from '../visit.ts'

const defaultSilenceMs = 30_000
const silentSockets = 3

/** No deadline for authentication. */
export const deadline: Check = {
  id: 'A3',
  title: 'A socket that never says who it is stays open',
  cwe: [400, 613],
  asvs: ['15.2.2'],
  safety: 'A',
  needs: [],
  waits: true,
  why: 'Each open socket costs memory and a descriptor. Where the credential comes in a message, whoever sends none must be sent away after seconds, or a single machine fills the server with silence.',
  remedy: {
    text: 'Give a socket ten seconds to authenticate, measured from the 101, and close it then; traffic does not extend them.',
    ws: "wss.on('connection', (ws) => {\n  const timer = setTimeout(() => ws.terminate(), 10_000)\n  ws.once('message', (data) => { if (verify(data)) clearTimeout(timer) })\n})",
    socketIo: 'new Server(server, { connectTimeout: 10_000 })',
    countersign: 'createGuard({ accept, limits: { deadlineMs: 10_000 } })',
  },
  async run({ oracle, needs, budget, baseline, options }) {
    if (options.public === true && baseline.anonymous.view.kind === 'open')
      return { kind: 'info', says: 'anonymous visitors are welcome here, and may stay' }
    const { silenceMs = defaultSilenceMs } = options
    const attempt = oracle.attempt(anonymous, { ignoresPings: false })
    const visits = await Promise.all(Array.from({ length: silentSockets }, () => Visit.open(needs, attempt)))
    try {
      const opened = visits.filter((visit) => visit.opened)
      if (opened.length === 0) return { kind: 'pass', says: 'nobody gets in without a credential' }
      const left = performance.now() + silenceMs
      while (opened.some((visit) => visit.live) && performance.now() < left) await budget.pause(250)
      const staying = opened.filter((visit) => visit.live)
      for (const visit of staying)
        visit.note(`still open after ${Math.round(visit.ageMs / 1_000)} s of silence`)
      const exchanges = opened.slice(0, 1).map((visit) => visit.exchange)
      if (staying.length === 0) {
        const slowest = Math.max(...opened.map(({ ending }) => ending?.atMs ?? 0))
        return { kind: 'pass', says: `silent sockets were closed after ${slowest} ms`, exchanges }
      }
      return {
        kind: 'fail',
        findings: [
          {
            says: `${staying.length} of ${opened.length} sockets that never authenticated were still open after ${silenceMs / 1_000} s`,
            severity: 'medium',
            confidence: 'high',
            exchanges,
          },
        ],
      }
    } finally {
      await Promise.all(visits.map((visit) => visit.leave()))
    }
  },
}
