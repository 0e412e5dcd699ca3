import { describe, expect, it } from 'vitest'
import { wampBearer } from '../../../packages/countersign/src/index.ts'
import {
  memoryCookies,
  ticketPrincipals,
  wampCookie,
  wampTicket,
} from '../../../packages/countersign/src/methods/index.ts'
import { until } from '../support/sockets.ts'
import { Client } from './wamp-client.ts'
import { openSite, usualMethods, type Site } from './wamp-site.ts'

describe('the cookie of a transport', () => {
  const sites = async (): Promise<Site> => {
    const store = memoryCookies()
    return openSite({
      accept: [
        wampCookie({ from: wampBearer(), store, absentOrigin: 'allow' }),
        wampTicket({
          from: wampBearer(),
          sources: [ticketPrincipals({ joe: { ticket: 'joe ticket', role: 'frontend' } })],
        }),
        ...usualMethods().filter(({ name }) => name === 'anonymous'),
      ],
      ws: { cookie: { store, secure: false, maxAgeMs: 60_000 } },
    })
  }
  const visit = async (
    site: Site,
    cookie: string | undefined,
    details: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly client: Client; readonly cookie: string; readonly said: readonly unknown[] }> => {
    const client = new Client(site, cookie === undefined ? {} : { headers: { cookie } })
    let given = ''
    client.web?.on('upgrade', (response) => (given = response.headers['set-cookie']?.[0] ?? ''))
    await until(() => client.open)
    expect(given).toMatch(/^cbtid=[\w-]{32}; Max-Age=60; Path=\/; HttpOnly; SameSite=Strict$/)
    client.hello(details)
    await until(() => client.got.length > 0)
    if (client.got[0]?.[0] === 4) client.send(5, 'joe ticket', {})
    await until(() => client.got.some(([code]) => code === 2 || code === 3))
    return { client, cookie: given.split(';')[0] ?? '', said: client.got.at(-1) ?? [] }
  }
  const both = { authmethods: ['cookie', 'ticket'], authid: 'joe' }

  it('brings a client back without a challenge, under a fresh value each time, and the old one is worth nothing', async () => {
    const site = await sites()
    const first = await visit(site, undefined, both)
    expect(first.said[2]).toMatchObject({ authid: 'joe', authmethod: 'ticket', authprovider: 'static' })
    const second = await visit(site, first.cookie, both)
    expect(second.client.got.map(([code]) => code)).toEqual([2])
    // The method's name is one that the client has listed: it refuses others.
    expect(second.said[2]).toMatchObject({ authid: 'joe', authmethod: 'ticket', authprovider: 'cookie' })
    expect(second.cookie).not.toBe(first.cookie)
    const replayed = await visit(site, first.cookie, { authmethods: ['cookie'] })
    expect(replayed.said[0]).toBe(3)
    const third = await visit(site, second.cookie, { authmethods: ['cookie'] })
    expect(third.said[2]).toMatchObject({ authid: 'joe', authmethod: 'cookie' })
  })

  it('is not looked at by a client that asks to be nobody, and binds no anonymous session', async () => {
    const site = await sites()
    const first = await visit(site, undefined, both)
    const anonymous = await visit(site, first.cookie, { authmethods: ['anonymous'] })
    expect(anonymous.said[2]).toMatchObject({ authmethod: 'anonymous', authrole: 'anonymous' })
    const later = await visit(site, anonymous.cookie, { authmethods: ['cookie'] })
    expect(later.said[0]).toBe(3)
  })

  it('is forgotten at logout', async () => {
    const site = await sites()
    const { client, cookie } = await visit(site, undefined, both)
    client.send(6, {}, 'wamp.close.logout')
    await client.heard(6)
    expect((await visit(site, cookie, { authmethods: ['cookie'] })).said[0]).toBe(3)
  })

  it('is forgotten when its session is killed', async () => {
    const site = await sites()
    const { client, cookie } = await visit(site, undefined, both)
    await site.guard.revoke({ subject: 'joe' })
    await client.heard(6)
    expect((await visit(site, cookie, { authmethods: ['cookie'] })).said[0]).toBe(3)
  })
})
