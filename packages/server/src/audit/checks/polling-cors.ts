/** T6: pages of other origins read the polling transport of Engine.IO. */
import { headerOf } from '../answer.ts'
import type { Check, Finding } from '../check.ts'
import { speaks } from '../needs.ts'
import { requestPage, type PageAnswer } from '../page-request.ts'
import { foreignOrigin } from './cross-site.ts'

/** Cross-origin polling. */
export const pollingCors: Check = {
  id: 'T6',
  title: 'A foreign page may read the polling transport with its visitor’s cookies',
  cwe: [942, 346],
  asvs: ['3.4.2'],
  safety: 'A',
  needs: [speaks('socket.io')],
  why: 'Polling is ordinary HTTP: what keeps foreign pages out there is not the check of a WebSocket’s Origin but CORS, and a server that repeats any Origin and allows credentials has none.',
  remedy: {
    text: 'Name the origins that may poll, or leave CORS out where page and server share an origin; check Origin for every transport.',
    ws: 'Plain sockets have no polling.',
    socketIo:
      "new Server(server, { cors: { origin: 'https://app.example.com', credentials: true }, allowRequest })",
    countersign:
      'guardSocketIo(io, guard, { namespaces }) // asks for the origin at every request of every transport',
  },
  async run({ endpoint, dialect, needs, low }) {
    const url = new URL(dialect.addressOf(endpoint).href.replace(/^ws/, 'http'))
    url.searchParams.set('transport', 'polling')
    const cookies = low?.pageHeaders() ?? []
    const headers = [...cookies, ['Origin', foreignOrigin]] as const
    const tls = low?.options.tls
    const opened = await requestPage(needs, { url, headers, tls })
    const posted = await requestPage(needs, {
      url,
      method: 'POST',
      body: '40',
      headers: [...headers, ['Content-Type', 'text/plain']],
      tls,
    })
    if (opened.kind === 'failed')
      return { kind: 'inconclusive', says: `polling does not answer: ${opened.why}` }
    const findings: Finding[] = []
    if (opened.status === 200 && mayRead(opened))
      findings.push({
        says: `a page on ${foreignOrigin} reads the answers of polling, cookies included`,
        severity: 'high',
        confidence: 'high',
        subject: 'credentials',
        exchanges: [exchangeOf(url, opened)],
      })
    if (findings.length > 0) return { kind: 'fail', findings }
    const any = opened.status === 200 && headerOf(opened.headers, 'access-control-allow-origin') === '*'
    if (any)
      return {
        kind: 'info',
        says: 'any page may poll, without cookies',
        exchanges: [exchangeOf(url, opened)],
      }
    const written = posted.kind === 'answered' && posted.status === 200
    return {
      kind: 'pass',
      says: `a foreign page is ${opened.status === 200 ? 'answered, but cannot read it' : `refused with ${opened.status}`}${written ? '; a blind POST is taken' : ''}`,
      exchanges: [exchangeOf(url, opened)],
    }
  },
}

function mayRead(answer: Extract<PageAnswer, { kind: 'answered' }>): boolean {
  const allowed = headerOf(answer.headers, 'access-control-allow-origin')
  const credentials = headerOf(answer.headers, 'access-control-allow-credentials')
  return allowed === foreignOrigin && credentials === 'true'
}

function exchangeOf(
  url: URL,
  { status, headers }: Extract<PageAnswer, { kind: 'answered' }>,
): Finding['exchanges'][number] {
  const fields = headers
    .filter(([name]) => /^access-control|^vary$/i.test(name))
    .map(([name, value]) => `${name}: ${value}`)
  return [
    { atMs: 0, from: 'scanner', text: `GET ${url.pathname}${url.search}\nOrigin: ${foreignOrigin}` },
    { atMs: 0, from: 'target', text: [`HTTP/1.1 ${status}`, ...fields].join('\n') },
  ]
}
