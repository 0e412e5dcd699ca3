import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { audit } from '../../../packages/server/src/audit/audit.ts'
import { meet } from '../../../packages/server/src/audit/meeting.ts'
import { openCertificateSite } from './support/tls.ts'

function holderOf({ socket }: IncomingMessage): string {
  if (!(socket instanceof TLSSocket)) return 'nobody'
  const shown = socket.getPeerCertificate()
  // Without one it is an object without members.
  return 'subject' in shown ? String(shown.subject.CN) : 'nobody'
}

describe('the client certificate of an identity', () => {
  it('is shown on its sockets and with its requests, and by nobody else', async () => {
    const seen: string[] = []
    const site = await openCertificateSite({
      admits: (request, user) => {
        seen.push(`socket: ${holderOf(request)}`)
        return user !== undefined
      },
      page: (request) => {
        seen.push(`${request.url ?? ''}: ${holderOf(request)}`)
        return 'key=1'
      },
    })
    const low = { ...site.overrides?.identities?.low, steps: [{ url: '/start' }] }
    const high = { steps: [{ url: '/other' }], cookie: 'sid=of-nobody' }
    try {
      const meeting = await meet(site.url, {
        ...site.options,
        ...site.overrides,
        protocol: 'plain',
        identities: { low, high },
      })
      expect(meeting.loginTroubles).toEqual(['high: logged in, but does not enter the socket'])
      expect(seen).toEqual([
        'socket: nobody',
        '/start: mira',
        'socket: mira',
        '/other: nobody',
        'socket: nobody',
      ])
    } finally {
      await site.close()
    }
  })

  it('does not help where nobody gets a connection without one, and the report says what does', async () => {
    const demanding = { tls: { rejectUnauthorized: true } }
    const own = await openCertificateSite(demanding)
    const everybodys = await openCertificateSite(demanding, 'every connection')
    try {
      const options = { only: ['A1'], protocol: 'plain' } as const
      const report = await audit(own.url, { ...own.options, ...own.overrides, ...options })
      expect(report.unreachable).toMatch(/without a certificate, name one under tls, too$/)
      const other = await audit(everybodys.url, {
        ...everybodys.options,
        ...everybodys.overrides,
        ...options,
      })
      expect(other.results.map(({ outcome }) => outcome.kind)).toEqual(['pass'])
    } finally {
      await Promise.all([own.close(), everybodys.close()])
    }
  })
})
