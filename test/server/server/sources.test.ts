import { describe, expect, it } from 'vitest'
import { connect, openSite, siteOrigin, type TestSite } from './support.ts'

interface From {
  readonly peer?: string
  readonly forwarded?: string
}

async function guess(
  site: TestSite,
  { peer = '127.0.0.1', forwarded }: From,
  password = 'wrong',
): Promise<number> {
  const answer = await site.app.inject({
    method: 'POST',
    url: '/login',
    remoteAddress: peer,
    payload: { username: 'alice', password },
    headers: {
      host: 'localhost:8000',
      origin: siteOrigin,
      ...(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }),
    },
  })
  return answer.statusCode
}

describe('guesses at the login are counted', () => {
  it('by the address of the peer, whatever it says about others', async () => {
    const site = await openSite()
    for (let at = 0; at < 5; at++) expect(await guess(site, { forwarded: `203.0.113.${at}` })).toBe(401)
    expect(await guess(site, { forwarded: '203.0.113.99' })).toBe(429)
  })

  it('by the address that a listed proxy names, so that one client locks nobody else out', async () => {
    const site = await openSite({ proxies: { trusted: ['127.0.0.1'] } })
    for (let at = 0; at < 5; at++)
      expect(await guess(site, { forwarded: `198.51.100.${at}, 203.0.113.7` })).toBe(401)
    expect(await guess(site, { forwarded: '203.0.113.7' }, 'wonderland')).toBe(429)
    expect(await guess(site, { forwarded: '203.0.113.8' }, 'wonderland')).toBe(200)
    expect(site.journal.recent().at(-1)?.remoteAddress).toBe('203.0.113.8')
  })

  it('together with those at the guards: the form is no other set of tries', async () => {
    const site = await openSite()
    const atGuard = (word: string): ReturnType<typeof connect> =>
      connect(site.guards.D5, { authorization: `Basic ${btoa(`alice:${word}`)}` })
    for (let at = 0; at < 3; at++) expect(await guess(site, {})).toBe(401)
    for (let at = 0; at < 2; at++) expect(await atGuard('wrong')).toBe('invalid_credential')
    expect(await guess(site, {}, 'wonderland')).toBe(429)
    expect(await atGuard('wonderland')).toBe('too_many_attempts')
  })

  it('by the /64 of an IPv6 address: one host commonly owns all of it', async () => {
    const site = await openSite()
    for (let at = 1; at <= 5; at++) expect(await guess(site, { peer: `2001:db8:0:1::${at}` })).toBe(401)
    expect(await guess(site, { peer: '2001:db8:0:1:2:3:4:5' }, 'wonderland')).toBe(429)
    expect(await guess(site, { peer: '2001:db8:0:2::1' }, 'wonderland')).toBe(200)
  })
})
