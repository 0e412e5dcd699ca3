/** T2: the page itself leads to cleartext. */
import { headerOf } from '../answer.ts'
import type { Check, Finding } from '../check.ts'
import { remark } from '../exchange.ts'
import { page } from '../needs.ts'
import { readPage } from '../page-scripts.ts'

const yearSeconds = 31_536_000

/** Cleartext that a page advertises. */
export const pageAdvertises: Check = {
  id: 'T2',
  title: 'The page opens its socket without TLS, or may itself be had without',
  cwe: [319, 523],
  asvs: ['3.4.1'],
  safety: 'P',
  needs: [page],
  why: 'A page that was loaded once without TLS belongs to whoever was on the way; Strict-Transport-Security keeps browsers from trying.',
  remedy: {
    text: 'Build the address from location, and send Strict-Transport-Security with a year and subdomains.',
    ws: 'new WebSocket(`wss://${location.host}/socket`)',
    socketIo: 'io() // takes scheme and host of the page',
    countersign: 'The program sends the field itself on every page behind TLS.',
  },
  async run(scene) {
    const read = await readPage(scene)
    if (read === undefined) return { kind: 'not tested', missing: page.missing }
    const { answer, texts } = read
    if (answer.kind === 'failed')
      return { kind: 'inconclusive', says: `the page does not answer: ${answer.why}` }
    const findings: Finding[] = []
    for (const { url, text } of texts) {
      const [found] = advertised(text)
      if (found !== undefined)
        findings.push({
          says: `${url.pathname} names ${found}`,
          severity: 'medium',
          confidence: 'medium',
          subject: url.pathname,
          exchanges: [remark(`${url.href} holds ${found}`)],
        })
    }
    const secure = scene.endpoint.page?.protocol === 'https:'
    const policy = headerOf(answer.headers, 'strict-transport-security') ?? ''
    const age = Number(/max-age\s*=\s*"?(\d+)/i.exec(policy)?.[1] ?? 0)
    if (secure && (age < yearSeconds || !/includesubdomains/i.test(policy)))
      findings.push({
        says:
          policy === ''
            ? 'the page sends no Strict-Transport-Security'
            : `Strict-Transport-Security is weaker than a year with subdomains: ${policy.slice(0, 100)}`,
        severity: 'low',
        confidence: 'high',
        subject: 'strict-transport-security',
        exchanges: [
          remark(`Strict-Transport-Security: ${policy === '' ? '(absent)' : policy.slice(0, 200)}`),
        ],
      })
    if (findings.length > 0) return { kind: 'fail', findings }
    return { kind: 'pass', says: `${texts.length} texts of the page name no cleartext socket` }
  },
}

/** Addresses of cleartext sockets off this machine, outside of comments. */
export function advertised(text: string): readonly string[] {
  return [...withoutComments(text).matchAll(/["'`](ws:\/\/[^"'`\s]{1,300})/g)]
    .map(([, url = '']) => url)
    .filter((url) => !/^ws:\/\/(localhost|127\.|\[::1\])/.test(url))
}

const ends: Readonly<Record<string, string>> = { '<!--': '-->', '/*': '*/', '//': '\n' }

/** In one pass: a text in which comments begin and never end takes no longer than another. */
function withoutComments(text: string): string {
  const begins = /<!--|\/\*|(?<![:"'`\w])\/\//g
  const kept: string[] = []
  let at = 0
  for (;;) {
    begins.lastIndex = at
    const found = begins.exec(text)
    if (found === null) return kept.join('') + text.slice(at)
    kept.push(text.slice(at, found.index))
    const end = ends[found[0]] ?? ''
    const close = text.indexOf(end, found.index + found[0].length)
    if (close === -1) return kept.join('')
    at = close + end.length
  }
}
