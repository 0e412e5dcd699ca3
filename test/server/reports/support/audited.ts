/** Real audits for the tests of reports: a site with many holes, and one with none that can be found. */
import { audit, type Report } from '../../../../packages/server/src/audit/audit.ts'
import type { AuditOptions } from '../../../../packages/server/src/audit/options.ts'
import { answerWhoami, openSite, type Target } from '../../audit/support/site.ts'

/** What an audit of these sites is told beside what they say themselves. */
export const quick: AuditOptions = {
  settleMs: 150,
  silenceMs: 500,
  headMs: 500,
  deadPeerMs: 500,
  private: ['"type":"order"'],
}

/** Takes every origin and everybody, says who ordered what, and has a cookie that any script reads. */
export function openLeakySite(): Promise<Target> {
  return openSite({
    admits: () => true,
    cookieAttributes: 'Path=/',
    speak(socket, visitor) {
      answerWhoami(socket, visitor)
      socket.send('{"type":"order","customer":"mira"}')
    },
  })
}

/** Audits a site and closes it. */
export async function reportOf(open: () => Promise<Target>, more: AuditOptions = {}): Promise<Report> {
  const target = await open()
  try {
    return await audit(target.url, { ...target.options, ...quick, ...more })
  } finally {
    await target.close()
  }
}

/** A report with findings of several checks. */
export function richReport(): Promise<Report> {
  return reportOf(openLeakySite)
}

/** A report without findings that matter, but with checks that were not tested. */
export function cleanReport(): Promise<Report> {
  return reportOf(() => openSite({ ws: { handleProtocols: () => false } }), { private: [] })
}

/** A report on a site that says this text wherever it can: messages, identities, refusals, names of cookies. */
export function hostileReport(text: string): Promise<Report> {
  const spoken = JSON.stringify({ type: 'order', name: text })
  return reportOf(
    () =>
      openSite({
        admits: () => true,
        cookieAttributes: 'Path=/',
        pageHeaders: { 'X-Said': encodeURIComponent(text) },
        page: () => `<p>${text}</p>`,
        speak(socket) {
          socket.send(text)
          socket.send(spoken)
          socket.on('message', () => socket.send(spoken))
        },
      }),
    { whoami: { send: { type: 'whoami' }, expect: '"name":"(?<identity>[^]+)"' } },
  )
}
