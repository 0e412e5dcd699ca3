/** T5: a credential travels in a URL, where logs, histories and referrers keep it. */
import type { Header } from '../answer.ts'
import type { Check, Finding, Scene } from '../check.ts'
import { isSomebody, low, sight } from '../needs.ts'
import { describeView } from '../oracle.ts'
import { anonymous } from '../presented.ts'
import { Visit } from '../visit.ts'

const parameters = ['token', 'access_token', 'auth', 'jwt', 'ticket', 'session', 'api_key'] as const
/** Shorter cookies are settings. */
const minCookieLength = 16
const maxCookies = 2
const canary = 'countersign-audit-canary-3f9d'

/** Credentials in URLs. */
export const credentialInUrl: Check = {
  id: 'T5',
  title: 'A reusable credential is taken from the URL',
  cwe: [598],
  asvs: ['14.2.1'],
  safety: 'A',
  needs: [sight, low],
  why: 'URLs are written down: by proxies, by access logs, by histories. A token that works twice works for whoever reads them.',
  remedy: {
    text: 'Take the credential from the first message, a cookie or a subprotocol; in the query at most a ticket for one use within 30 seconds.',
    ws: "wss.on('connection', (ws) => ws.once('message', (data) => authenticate(ws, JSON.parse(String(data)).token)))",
    socketIo: 'io(url, { auth: { token } }) // not { query: { token } }',
    countersign:
      "createGuard({ accept: [ticket({ from: [firstMessage(), query('ticket')] })] }) // taken once, gone after 30 s",
  },
  async run(scene) {
    const { oracle, low: identity, needs } = scene
    if (identity === undefined) return { kind: 'not tested', missing: low.missing }
    const findings: Finding[] = []
    const presented = await identity.present()
    if (presented.query.length > 0) {
      const first = await oracle.look(presented)
      const again = await oracle.look(presented)
      if (isSomebody(first.view, scene) && isSomebody(again.view, scene))
        findings.push({
          says: `the same token in the query opened two sockets: ${describeView(again.view)}`,
          severity: 'medium',
          confidence: 'high',
          subject: 'query',
          exchanges: [again.exchange],
        })
      else if (findings.length === 0)
        return {
          kind: 'info',
          says: 'a token in the query, good for one socket',
          exchanges: [again.exchange],
        }
    }
    const bearer = bearerOf(presented.headers)
    if (bearer !== undefined) {
      const sights = await Promise.all(
        parameters.map((name) => oracle.look({ ...anonymous, who: 'low', query: [[name, bearer]] })),
      )
      for (const [index, { view, exchange }] of sights.entries())
        if (isSomebody(view, scene))
          findings.push({
            says: `the token of the header field works as ?${parameters[index] ?? ''}= as well`,
            severity: 'medium',
            confidence: 'high',
            subject: parameters[index] ?? '',
            exchanges: [exchange],
          })
    }
    findings.push(...(await cookiesInQuery(scene, presented.headers)))
    const echo = await Visit.open(
      needs,
      oracle.attempt({ ...anonymous, query: parameters.map((name) => [name, canary]) }),
    )
    await echo.leave()
    const { answer } = echo
    if (
      answer.kind === 'answered' &&
      answer.status !== 101 &&
      JSON.stringify([answer.headers, answer.body]).includes(canary)
    )
      findings.push({
        says: 'the refusal repeats what stood in the query',
        severity: 'low',
        confidence: 'high',
        subject: 'echo',
        exchanges: [echo.exchange],
      })
    if (findings.length > 0) return { kind: 'fail', findings }
    return { kind: 'pass', says: 'no reusable credential is taken from the URL, and none comes back' }
  },
}

/** Values of cookies, shown in the query and nowhere else. */
async function cookiesInQuery(scene: Scene, headers: readonly Header[]): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const [cookie, value] of cookiesOf(headers)) {
    const names = [...new Set([...parameters, cookie])]
    const sights = await Promise.all(
      names.map((name) => scene.oracle.look({ ...anonymous, query: [[name, value]] })),
    )
    for (const [index, { view, exchange }] of sights.entries())
      if (isSomebody(view, scene))
        findings.push({
          says: `the value of the cookie ${cookie} works as ?${names[index] ?? ''}= as well: ${describeView(view)}`,
          severity: 'medium',
          confidence: 'high',
          subject: names[index] ?? '',
          exchanges: [exchange],
        })
  }
  return findings
}

/** Cookies that may well be a session's. */
function cookiesOf(headers: readonly Header[]): readonly (readonly [string, string])[] {
  return headers
    .filter(([name]) => name === 'Cookie')
    .flatMap(([, value]) => value.split('; '))
    .map((pair): readonly [string, string] => {
      const equals = pair.indexOf('=')
      return [pair.slice(0, equals), pair.slice(equals + 1)]
    })
    .filter(([, value]) => value.length >= minCookieLength)
    .slice(0, maxCookies)
}

/** The token of an `Authorization: Bearer` field. */
function bearerOf(headers: readonly (readonly [string, string])[]): string | undefined {
  const field = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? ''
  return /^bearer (.+)$/i.exec(field)?.[1]
}
