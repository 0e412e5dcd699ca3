import { cookie, createGuard, memory, type Guard, type Records } from 'countersign'
import { session } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { createApp } from '../../../packages/server/src/server/app.ts'
import { cookieNames } from '../../../packages/server/src/server/cookies.ts'
import { registerFrame } from '../../../packages/server/src/server/frame.ts'
import { ownSources } from '../../../packages/server/src/server/headers.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'
import { connect, connected } from './support.ts'

const page = 'http://localhost:8000'
const own = 'http://localhost:8003'

let app: FastifyInstance
let guard: Guard
let records: Records

beforeEach(() => open(false))

function open(secure: boolean): void {
  records = memory()
  const platform = nodePlatform()
  const accept = [session({ from: cookie(cookieNames(secure).frame), purposes: ['frame'] })]
  guard = createGuard({ records, platform, audience: 'D3', origins: [page], accept })
  app = createApp({
    log: createLog({ level: 'silent' }),
    hosts: ['localhost:8003'],
    secure,
    sources: ownSources,
  })
  registerFrame(app, { guard, records, platform, ownOrigins: [own], pageOrigins: [page], secure })
}

async function frameTicket(
  options: { origin?: string; audience?: string; purpose?: 'connect' | 'frame' } = {},
): Promise<string> {
  const made = { subject: 'alice', session: 'login-1', purpose: 'frame', origin: page, ...options } as const
  return (await guard.issue.ticket(made)).ticket
}

function exchange(payload: object, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  const sent = { host: 'localhost:8003', origin: own, ...headers }
  return app.inject({ method: 'POST', url: '/countersign/exchange', headers: sent, payload })
}

describe('GET /countersign/frame', () => {
  it('may be framed by the listed pages alone and runs one module of its own', async () => {
    const answer = await app.inject({ url: '/countersign/frame', headers: { host: 'localhost:8003' } })
    expect(answer.headers['content-security-policy']).toContain(`frame-ancestors ${page};`)
    expect(answer.headers['content-security-policy']).toContain("script-src 'self'")
    expect(answer.body).toContain(`data-origins="${page}"`)
    const module = await app.inject({ url: '/countersign/frame.js', headers: { host: 'localhost:8003' } })
    expect(module.body).toContain('event.source !== parent')
  })
})

describe('POST /countersign/exchange', () => {
  it('exchanges a frame ticket once for a cookie that opens the socket from that page only', async () => {
    const ticket = await frameTicket()
    const answer = await exchange({ ticket, origin: page })
    expect(answer.json()).toEqual({ ok: true, expires_in: 900 })
    expect(answer.headers['set-cookie']).toMatch(
      /^countersign-frame=css_[\w-]{43}; Path=\/; Max-Age=900; HttpOnly; SameSite=Lax$/,
    )
    const value = answer.cookies[0]?.value ?? ''
    const lease = await connected(guard, { cookie: `countersign-frame=${value}`, origin: page })
    expect([lease.principal.id, lease.grant.session]).toEqual(['alice', 'login-1'])
    expect(
      await connect(guard, { cookie: `countersign-frame=${value}`, origin: 'http://localhost:8030' }),
    ).toBe('forbidden_origin')
    expect((await exchange({ ticket, origin: page })).statusCode).toBe(401)
  })

  it('over TLS sets a partitioned cookie that works across sites', async () => {
    open(true)
    const answer = await exchange({ ticket: await frameTicket(), origin: page })
    expect(answer.headers['set-cookie']).toMatch(
      /^__Host-countersign-frame=css_[\w-]{43}; Path=\/; Max-Age=900; Secure; HttpOnly; SameSite=None; Partitioned$/,
    )
  })

  it.each([
    ['of another purpose', { purpose: 'connect' }, page],
    ['for another audience', { audience: 'D2' }, page],
    ['issued to another page', { origin: 'http://localhost:8030' }, page],
    ['shown by a page that is not listed', { origin: 'http://localhost:8030' }, 'http://localhost:8030'],
    ['shown by another page than it was issued to', {}, 'http://localhost:8030'],
  ] as const)('refuses a ticket %s, and spends it', async (_name, made, origin) => {
    const ticket = await frameTicket(made)
    expect((await exchange({ ticket, origin })).json()).toEqual({ error: 'invalid_credential' })
    expect(await records.takeTicket(await nodePlatform().hash(ticket))).toBeUndefined()
  })

  it('refuses a ticket of a login that was revoked', async () => {
    const ticket = await frameTicket()
    await guard.revoke({ session: 'login-1' }, 'logged_out')
    expect((await exchange({ ticket, origin: page })).statusCode).toBe(401)
  })

  it('takes requests of its own page alone', async () => {
    for (const origin of [page, 'http://localhost:8030', 'null']) {
      expect((await exchange({ ticket: await frameTicket(), origin: page }, { origin })).statusCode).toBe(403)
    }
    const headers = { host: 'localhost:8003' }
    const payload = { ticket: await frameTicket(), origin: page }
    const answer = await app.inject({ method: 'POST', url: '/countersign/exchange', headers, payload })
    expect(answer.statusCode).toBe(403)
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('ends with the login session', async () => {
    const answer = await exchange({ ticket: await frameTicket(), origin: page })
    await guard.revoke({ session: 'login-1' }, 'logged_out')
    const shown = { cookie: `countersign-frame=${answer.cookies[0]?.value ?? ''}`, origin: page }
    expect(await connect(guard, shown)).toBe('invalid_credential')
  })
})
