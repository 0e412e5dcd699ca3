/** I14: what one user writes reaches another as it was written. */
import { headersOf } from '../answer.ts'
import { newMarker, presentedAs } from '../canaries.ts'
import type { Check, Scene } from '../check.ts'
import { remark, type Exchange } from '../exchange.ts'
import { low } from '../needs.ts'
import { requestPage } from '../page-request.ts'
import { samplesOf, withTexts } from '../sample-messages.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'

/** Markup from one socket to another. */
export const injectionMarker: Check = {
  id: 'I14',
  title: 'Markup of one user reaches another unchanged',
  cwe: [79, 89],
  asvs: ['1.2.1'],
  safety: 'P',
  needs: [low],
  why: 'A server may well hand text on as it is: what matters is what the page makes of it. If the page puts it into its HTML, the sender’s script runs there in the reader’s name, and with the reader’s socket.',
  remedy: {
    text: 'Put text into pages as text (textContent, a framework’s own binding), never as HTML; add a Content-Security-Policy without inline scripts.',
    ws: 'item.textContent = message.text // in the page; not innerHTML',
    socketIo: "socket.on('chat', ({ text }) => { item.textContent = text }) // in the page",
    countersign: '// messagePolicy decides who may send; what a page makes of the text is the page’s',
  },
  async run(scene) {
    const reader = await presentedAs(scene, scene.high === undefined ? 'low' : 'high')
    if (reader === undefined) return { kind: 'not tested', missing: low.missing }
    const listener = await scene.oracle.stay(reader)
    const sender = await stayAsSomebody(scene)
    try {
      if (listener.view.kind !== 'open' || sender.view.kind !== 'open')
        return { kind: 'not tested', missing: nobodyGetsIn }
      const marker = newMarker()
      const markup = `<i data-${marker}>'&`
      for (const sample of samplesOf(scene))
        for (const text of withTexts(sample, markup)) sender.visit.send(text)
      const heard = await scene.oracle.hear(
        listener.visit,
        (text) => text.includes(marker),
        scene.oracle.settleMs,
      )
      const exchanges = [sender.exchange, listener.exchange]
      if (heard === undefined)
        return { kind: 'pass', says: 'nothing that one socket said was heard on another', exchanges }
      if (!heard.includes(`<i data-${marker}>`))
        return { kind: 'pass', says: 'markup reaches another socket encoded', exchanges }
      const page = await unguardedPage(scene)
      if (page !== undefined)
        return {
          kind: 'fail',
          findings: [
            {
              says: 'markup reaches another socket as it was sent, and the page that shows it has no policy against scripts in it',
              severity: 'medium',
              confidence: 'low',
              subject: 'page without a policy',
              exchanges: [...exchanges, page],
            },
          ],
        }
      return {
        kind: 'info',
        says: 'markup reaches another socket as it was sent; look how the page shows it',
        exchanges,
      }
    } finally {
      await Promise.all([listener.visit.leave(), sender.visit.leave()])
    }
  },
}

/** The page's answer, where nothing in it keeps scripts out that stand in markup (Content Security Policy 3). */
async function unguardedPage({ endpoint, needs, low: identity }: Scene): Promise<Exchange | undefined> {
  if (endpoint.page === undefined) return undefined
  const answer = await requestPage(needs, {
    url: endpoint.page,
    headers: identity?.pageHeaders() ?? [],
    tls: identity?.options.tls,
  })
  if (answer.kind === 'failed' || answer.status !== 200) return undefined
  const policy = headersOf(answer.headers, 'content-security-policy').join('; ')
  const scripts = /(?:^|;\s*)(?:script-src|default-src)\s([^;]*)/.exec(policy)?.[1]
  if (scripts !== undefined && !scripts.includes("'unsafe-inline'")) return undefined
  const said = policy === '' ? 'no Content-Security-Policy' : `Content-Security-Policy: ${policy}`
  return remark(`${endpoint.page.href} answers ${answer.status} with ${said}`)
}
