import { expect, test } from 'vitest'
import { wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import { anonymous } from '../../../packages/countersign/src/methods/anonymous.ts'
import { functionAuthenticator } from '../../../packages/countersign/src/methods/wamp-authenticator.ts'
import { Room, ruleFor, settled, type Peer } from './router-room.ts'

const everything = [ruleFor('', 'call', 'register', 'publish', 'subscribe')]

/** 2,000 clients: ten sessions for each of 200 people, of whom the first 20 are thrown out and the next 20 demoted. */
async function crowd(): Promise<{
  readonly room: Room
  readonly admin: Peer
  readonly peers: readonly Peer[]
}> {
  let joined = 0
  const whoIsIt = (): unknown => {
    const number = joined++
    return number === 2_000 ? { role: 'admin' } : { role: 'member', authid: `user-${number % 200}` }
  }
  const authenticators = [functionAuthenticator(whoIsIt)]
  const room = new Room(
    {
      realms: [
        {
          name: 'realm1',
          roles: [
            { name: 'admin', rules: everything },
            { name: 'member', rules: [ruleFor('com.', 'call', 'register', 'publish', 'subscribe')] },
            { name: 'demoted', rules: [ruleFor('com.public', 'subscribe', 'call')] },
          ],
        },
      ],
    },
    [anonymous({ from: wampHello(), authenticators })],
  )
  const peers = Array.from({ length: 2_000 }, () => room.peer())
  const admin = room.peer()
  for (const peer of [...peers, admin]) peer.hello()
  await settled()
  await settled()
  return { room, admin, peers }
}

test('2,000 sessions join, 200 are killed by authid, 200 lose their role: what remains is exactly right', async () => {
  const { room, admin, peers } = await crowd()
  expect(admin.result('wamp.session.count')).toBe(2_001)
  for (const peer of peers) {
    peer.subscribe('com.public.news')
    peer.subscribe('com.private.news')
    peer.register(`com.public.of-${peer.session}`)
  }
  const of = (from: number, to: number): readonly Peer[] =>
    peers.filter((_peer, number) => number % 200 >= from && number % 200 < to)
  const [killed, demoted, kept] = [of(0, 20), of(20, 40), of(40, 200)]

  for (let user = 0; user < 20; user++) {
    const ids = admin.result('wamp.session.kill_by_authid', [`user-${user}`])
    expect(ids).toEqual(of(user, user + 1).map(({ session }) => session))
  }
  const isDemoted = new Set(demoted.map(({ session }) => session))
  expect(room.realm.changeRole(({ id }) => isDemoted.has(id), 'demoted')).toBe(200)

  // By the meta API.
  const ids = (list: readonly Peer[]): ReadonlySet<unknown> => new Set(list.map(({ session }) => session))
  const subscribers = (topic: string): ReadonlySet<unknown> => {
    const id = admin.result('wamp.subscription.lookup', [topic])
    const sessions = admin.result('wamp.subscription.list_subscribers', [id])
    return new Set(Array.isArray(sessions) ? sessions : [])
  }
  expect(admin.result('wamp.session.count')).toBe(1_801)
  expect(admin.result('wamp.session.count', [['demoted']])).toBe(200)
  expect(admin.result('wamp.session.count', [['member']])).toBe(1_600)
  expect(subscribers('com.public.news')).toEqual(ids([...demoted, ...kept]))
  expect(subscribers('com.private.news')).toEqual(ids(kept))
  const registrations = admin.result('wamp.registration.list')
  expect(registrations).toMatchObject({ exact: { length: 1_600 }, prefix: [], wildcard: [] })
  expect(room.guard.leases()).toHaveLength(1_801)

  // By a client's view.
  admin.publish('com.public.news', ['public'])
  admin.publish('com.private.news', ['private'])
  for (const peer of kept) expect(peer.events()).toEqual([['public'], ['private']])
  for (const peer of demoted) {
    expect(peer.events()).toEqual([['public']])
    expect(peer.kinds().filter((kind) => kind === 'unsubscribed' || kind === 'unregistered')).toHaveLength(2)
    expect(peer.error(`com.private.call`)).toBe('wamp.error.not_authorized')
    expect(peer.register('com.public.mine')).toMatchObject({ error: 'wamp.error.not_authorized' })
  }
  for (const peer of killed) {
    expect(peer.events()).toEqual([])
    expect(peer.sent.at(-1)).toMatchObject({ kind: 'goodbye', reason: 'wamp.close.killed' })
    expect(peer.forgotten).toBe(1)
  }
  room.clock.advance(1_000)
  expect(killed.every(({ closedBy }) => closedBy?.code === 3003)).toBe(true)
  expect(room.router.connections).toBe(1_801)
})
