/** A session that is ended by the meta API does not come back by the cookie of its transport. */
import { describe, expect, test } from 'vitest'
import { wampBearer, wampHello } from '../../../packages/countersign/src/index.ts'
import {
  memoryCookies,
  type CookieStore,
  ticketPrincipals,
  wampcra,
  wampcraUsers,
  wampCookie,
  wampTicket,
} from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { until } from '../support/sockets.ts'
import { Client } from '../adapters/wamp-client.ts'
import { openSite, type Site } from '../adapters/wamp-site.ts'

const openCookies = (store: CookieStore = memoryCookies()): Promise<Site> => {
  return openSite({
    accept: [
      wampCookie({ from: wampBearer(), store, absentOrigin: 'allow' }),
      wampTicket({
        from: wampBearer(),
        sources: [ticketPrincipals({ joe: { ticket: 'joe ticket', role: 'frontend' } })],
      }),
      wampcra({
        from: wampHello(),
        sources: [wampcraUsers({ root: { secret: 'rootrootroot', role: 'admin' } }, nodePlatform().derive)],
      }),
    ],
    ws: { cookie: { store, secure: false } },
  })
}

interface Visit {
  readonly client: Client
  readonly cookie: string
}

/** Connects as a browser does: with the cookie that it was given last. */
async function visit(site: Site, shown: string | undefined, methods: readonly string[]): Promise<Visit> {
  const client = new Client(site, shown === undefined ? {} : { headers: { cookie: shown } })
  let cookie = ''
  client.web?.on('upgrade', (response) => {
    cookie = response.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  })
  await until(() => client.open)
  client.hello({ authmethods: methods, authid: 'joe' })
  await until(() => client.got.length > 0)
  if (client.got[0]?.[0] === 4) client.send(5, 'joe ticket', {})
  await until(() => client.got.some(([code]) => code === 2 || code === 3))
  return { client, cookie }
}

async function isLetIn(site: Site, cookie: string): Promise<boolean> {
  const { client } = await visit(site, cookie, ['cookie'])
  return client.got.at(-1)?.[0] === 2
}

async function administrator(site: Site): Promise<Client> {
  const root = await Client.open(site)
  await root.join('root', 'rootrootroot')
  return root
}

const first = ['cookie', 'ticket']

describe('a cookie', () => {
  test('outlives a session that its client has left, or lost', async () => {
    const site = await openCookies()
    const left = await visit(site, undefined, first)
    left.client.send(6, {}, 'wamp.close.close_realm')
    await left.client.heard(6)
    const lost = await visit(site, left.cookie, ['cookie'])
    expect(lost.client.got.at(-1)?.[0]).toBe(2)
    lost.client.drop()
    await lost.client.closed()
    expect(await isLetIn(site, lost.cookie)).toBe(true)
  })

  test.each<[string, (session: number) => readonly unknown[]]>([
    ['wamp.session.kill', (session) => [session]],
    ['wamp.session.kill_by_authid', () => ['joe']],
    ['wamp.session.kill_by_authrole', () => ['frontend']],
    ['wamp.session.kill_all', () => []],
  ])('ends with its session by %s', async (procedure, args) => {
    const site = await openCookies()
    const root = await administrator(site)
    const { client, cookie } = await visit(site, undefined, first)
    expect((await root.ask(48, {}, procedure, args(Number(client.got.at(-1)?.[1]))))[0]).toBe(50)
    expect((await client.heard(6))[2]).toBe('wamp.close.killed')
    expect(await isLetIn(site, cookie)).toBe(false)
  })

  test('that brought a session back ends with it just so', async () => {
    const site = await openCookies()
    const root = await administrator(site)
    const before = await visit(site, undefined, first)
    const again = await visit(site, before.cookie, ['cookie'])
    await root.ask(48, {}, 'wamp.session.kill_by_authid', ['joe'])
    await again.client.heard(6)
    expect([await isLetIn(site, before.cookie), await isLetIn(site, again.cookie)]).toEqual([false, false])
  })

  test.each<[string, (session: number) => readonly unknown[]]>([
    ['wamp.session.kill', (session) => [session]],
    ['wamp.session.kill_by_authid', () => ['joe']],
    ['wamp.session.kill_by_authrole', () => ['frontend']],
    ['wamp.session.kill_all', () => []],
  ])('ends in every browser of whom %s is meant for', async (procedure, args) => {
    const site = await openCookies()
    const root = await administrator(site)
    const home = await visit(site, undefined, first)
    home.client.drop()
    await home.client.closed()
    const work = await visit(site, undefined, first)
    expect((await root.ask(48, {}, procedure, args(Number(work.client.got.at(-1)?.[1]))))[0]).toBe(50)
    await work.client.heard(6)
    expect([await isLetIn(site, home.cookie), await isLetIn(site, work.cookie)]).toEqual([false, false])
  })

  test('ends by a kill that finds no session at all', async () => {
    const site = await openCookies()
    const root = await administrator(site)
    const { client, cookie } = await visit(site, undefined, first)
    client.drop()
    await client.closed()
    expect((await root.ask(48, {}, 'wamp.session.kill_by_authid', ['joe']))[3]).toEqual([[]])
    expect(await isLetIn(site, cookie)).toBe(false)
  })

  test('lets nobody in who is killed while it is looked up', async () => {
    const memory = memoryCookies()
    const looking = Promise.withResolvers<void>()
    const answers = Promise.withResolvers<void>()
    const slow: CookieStore = {
      ...memory,
      async find(cookie, now) {
        const found = await memory.find(cookie, now)
        looking.resolve()
        await answers.promise
        return found
      },
    }
    const site = await openCookies(slow)
    const root = await administrator(site)
    const { cookie } = await visit(site, undefined, ['ticket'])
    const back = new Client(site, { headers: { cookie } })
    await until(() => back.open)
    back.hello({ authmethods: ['cookie'], authid: 'joe' })
    await looking.promise
    await root.ask(48, {}, 'wamp.session.kill_by_authid', ['ann'])
    await root.ask(48, {}, 'wamp.session.kill_by_authid', ['joe'])
    answers.resolve()
    expect((await back.heard(3))[2]).toBe('wamp.error.authentication_denied')
    // Who proves it anew is let in.
    expect((await visit(site, undefined, ['ticket'])).client.got.at(-1)?.[0]).toBe(2)
  })

  test('lets somebody in though somebody else is killed while it is looked up', async () => {
    const memory = memoryCookies()
    const roots: Client[] = []
    const site = await openCookies({
      ...memory,
      async find(cookie, now) {
        for (const root of roots) await root.ask(48, {}, 'wamp.session.kill_by_authid', ['ann'])
        return memory.find(cookie, now)
      },
    })
    roots.push(await administrator(site))
    const { cookie } = await visit(site, undefined, ['ticket'])
    expect(await isLetIn(site, cookie)).toBe(true)
  })

  test('costs no session where its store fails', async () => {
    const broken = (): never => {
      throw new Error('the disk is full')
    }
    const site = await openCookies({ ...memoryCookies(), remember: broken, forgetWhere: broken })
    const root = await administrator(site)
    const { client } = await visit(site, undefined, first)
    expect((await root.ask(48, {}, 'wamp.session.kill_by_authid', ['joe']))[0]).toBe(50)
    expect((await client.heard(6))[2]).toBe('wamp.close.killed')
  })

  test('of somebody else stays', async () => {
    const site = await openCookies()
    const root = await administrator(site)
    const { client, cookie } = await visit(site, undefined, first)
    await root.ask(48, {}, 'wamp.session.kill_by_authid', ['ann'])
    expect(client.closedBy).toBeUndefined()
    expect(await isLetIn(site, cookie)).toBe(true)
  })
})
