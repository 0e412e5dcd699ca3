import { expect, it } from 'vitest'
import { wampHello } from '../../packages/countersign/src/index.ts'
import { wampcra, wampcraUsers } from '../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../packages/countersign/src/platform/node.ts'
import { Client, formats, type Carriage, type Wamp } from '../countersign/adapters/wamp-client.ts'
import { allowAll, openSite, type Site } from '../countersign/adapters/wamp-site.ts'
import { until } from '../countersign/support/sockets.ts'

const people = 200
const sockets = 2_000
const members = { role: 'member', secret: 'a secret of everybody' }

/** One of the crowd. */
interface Person {
  readonly client: Client
  readonly number: number
  readonly session: number
}

function crowdSite(): Promise<Site> {
  const users = Object.fromEntries(Array.from({ length: people }, (_none, at) => [`user-${at}`, members]))
  const demoted = { call: true, register: false, publish: false, subscribe: true }
  const all = { ...users, admin: { ...members, role: 'admin' } }
  return openSite({
    accept: [wampcra({ from: wampHello(), sources: [wampcraUsers(all, nodePlatform().derive)] })],
    guard: { limits: { handshakesPerSecond: 1e6 } },
    router: {
      realms: [
        {
          name: 'realm1',
          roles: [
            { name: 'admin', rules: [allowAll('*')] },
            { name: 'member', rules: [allowAll('com.*')] },
            { name: 'demoted', rules: [{ ...allowAll('com.public*'), allow: demoted }] },
          ],
        },
      ],
    },
  })
}

/** Ten sessions for each person, over every transport and serializer, with a place in two topics and a procedure. */
async function enter(site: Site, number: number): Promise<Person> {
  const over: Carriage = number % 2 === 0 ? 'websocket' : 'rawsocket'
  const client = await Client.open(site, { over, format: formats[number % 3] ?? 'json' })
  const session = await client.join(`user-${number % people}`, members.secret)
  await client.ask(32, {}, 'com.public.news')
  await client.ask(32, {}, 'com.private.news')
  await client.ask(64, {}, `com.public.of-${session}`)
  return { client, number, session }
}

const first = ([, , , args]: Wamp): unknown => (Array.isArray(args) ? args[0] : undefined)

it('2,000 sockets join, 200 are killed by authid, 200 lose their role: what remains is exactly right', async () => {
  const site = await crowdSite()
  const admin = await Client.open(site)
  await admin.join('admin', members.secret)
  const ask = async (procedure: string, ...args: readonly unknown[]): Promise<unknown> =>
    first(await admin.ask(48, {}, procedure, args))
  const crowd: Person[] = []
  while (crowd.length < sockets) {
    const batch = Array.from({ length: 50 }, (_none, at) => enter(site, crowd.length + at))
    crowd.push(...(await Promise.all(batch)))
  }
  expect(await ask('wamp.session.count')).toBe(sockets + 1)

  const of = (from: number, to: number): readonly Person[] =>
    crowd.filter(({ number }) => number % people >= from && number % people < to)
  const [killed, demoted, kept] = [of(0, 20), of(20, 40), of(40, people)]
  const ids = (list: readonly Person[]): ReadonlySet<unknown> => new Set(list.map(({ session }) => session))
  for (let user = 0; user < 20; user++) {
    const told = await ask('wamp.session.kill_by_authid', `user-${user}`)
    expect(new Set(Array.isArray(told) ? told : [])).toEqual(ids(of(user, user + 1)))
  }
  const losers = ids(demoted)
  expect(site.router.realm('realm1')?.changeRole(({ id }) => losers.has(id), 'demoted')).toBe(200)

  // By the meta API.
  const subscribers = async (topic: string): Promise<ReadonlySet<unknown>> => {
    const told = await ask('wamp.subscription.list_subscribers', await ask('wamp.subscription.lookup', topic))
    return new Set(Array.isArray(told) ? told : [])
  }
  expect(await ask('wamp.session.count')).toBe(1_801)
  expect(await ask('wamp.session.count', ['demoted'])).toBe(200)
  expect(await ask('wamp.session.count', ['member'])).toBe(1_600)
  expect(await subscribers('com.public.news')).toEqual(ids([...demoted, ...kept]))
  expect(await subscribers('com.private.news')).toEqual(ids(kept))
  expect(await ask('wamp.registration.list')).toMatchObject({
    exact: { length: 1_600 },
    prefix: [],
    wildcard: [],
  })
  expect(site.guard.leases()).toHaveLength(1_801)

  // By a client's view.
  await admin.ask(16, { acknowledge: true }, 'com.public.news', ['public'])
  await admin.ask(16, { acknowledge: true }, 'com.private.news', ['private'])
  const events = ({ client }: Person): readonly unknown[] =>
    client.got.flatMap(([code, , , , args]) => (code === 36 && Array.isArray(args) ? [args[0]] : []))
  await until(() => kept.every((person) => events(person).length === 2), 20_000)
  await until(() => demoted.every((person) => events(person).length === 1), 20_000)
  await until(() => killed.every(({ client }) => client.closedBy !== undefined), 20_000)
  for (const person of kept) expect(events(person)).toEqual(['public', 'private'])
  for (const person of demoted) {
    expect(events(person)).toEqual(['public'])
    // Told of the subscription and of the registration that were taken away, with 0 for a request.
    const revoked = person.client.got.filter(
      ([code, request]) => (code === 35 || code === 67) && request === 0,
    )
    expect(new Set(revoked.map(([code]) => code))).toEqual(new Set([35, 67]))
    expect(person.client.closedBy).toBeUndefined()
  }
  for (const person of killed) {
    expect(events(person)).toEqual([])
    expect(person.client.got.at(-1)).toMatchObject([6, {}, 'wamp.close.killed'])
  }
  const [some] = demoted
  expect((await some?.client.ask(64, {}, 'com.public.mine'))?.[4]).toBe('wamp.error.not_authorized')
  expect((await some?.client.ask(48, {}, 'com.private.any'))?.[4]).toBe('wamp.error.not_authorized')
  expect(site.router.connections).toBe(1_801)
  for (const { client } of crowd) client.drop()
  await until(() => site.router.connections === 1, 20_000)
  expect(await ask('wamp.registration.list')).toEqual({ exact: [], prefix: [], wildcard: [] })
})
