/** O3: a handshake that nobody can parse brings the server down. */
import type { Check, Finding } from '../check.ts'
import { crashProbes } from '../needs.ts'
import { anonymous } from '../presented.ts'
import { Visit, type Attempt } from '../visit.ts'

const probes: readonly { readonly name: string; readonly changes: Partial<Attempt> }[] = [
  { name: 'an Origin with half an IPv6 address', changes: { origins: ['http://[::1'] } },
  { name: 'an Origin that is no URL', changes: { origins: ['::::'] } },
  { name: 'a Host that is no host', changes: { host: '[::1' } },
  { name: 'a Host with a port beyond all ports', changes: { host: 'localhost:99999999' } },
]

/** How soon a server that fell must be up again to count as standing, milliseconds. */
const recoveryMs = 300

/** Malformed Origin or Host. */
export const crashOrigin: Check = {
  id: 'O3',
  title: 'A malformed Origin or Host brings the server down',
  cwe: [20, 248, 755],
  asvs: ['16.5.3', '16.5.4'],
  safety: 'A',
  needs: [crashProbes],
  crashes: true,
  why: 'Whoever parses the fields of a stranger’s request with a function that throws, outside of any catch, ends the process for everybody.',
  remedy: {
    text: 'Parse with a function that answers instead of throwing, and refuse with 400 what it cannot read.',
    ws: "const origin = URL.canParse(request.headers.origin ?? '') ? new URL(request.headers.origin).origin : undefined\nif (origin !== 'https://app.example.com') refuse(socket, 403)",
    socketIo:
      "allowRequest: (request, answer) => answer(null, URL.canParse(request.headers.origin ?? '') && request.headers.origin === 'https://app.example.com')",
    countersign: 'guardUpgrades(server, wss, guard) // checks the handshake itself before it asks the guard',
  },
  async run({ oracle, needs, budget }) {
    const findings: Finding[] = []
    for (const { name, changes } of probes) {
      const visit = await Visit.open(needs, oracle.attempt(anonymous, changes))
      await visit.leave()
      if ((await oracle.knock()) === 'reachable') continue
      await budget.pause(recoveryMs)
      findings.push({
        says: `after ${name} the target did not answer any more`,
        severity: 'high',
        confidence: 'high',
        subject: name,
        exchanges: [visit.exchange],
      })
      if ((await oracle.knock()) === 'unreachable') break
    }
    if (findings.length > 0) return { kind: 'fail', findings }
    return { kind: 'pass', says: `the target stands after ${probes.length} malformed handshakes` }
  },
}
