/** Autobahn|JS, unmodified, in Node. */
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Site } from '../countersign/adapters/wamp-site.ts'
import { complete, visit, type Autobahn, type Order } from './wamp-autobahn.ts'
import { startForGuests, ways } from './wamp-guests.ts'

let site: Site
let autobahn: Autobahn
beforeAll(async () => {
  site = await startForGuests()
  // It tells the console of every error and of every end, by functions that it takes when it is loaded.
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => undefined)
  // It has no types, and is no module.
  autobahn = createRequire(import.meta.url)('autobahn') as Autobahn
})
afterAll(async () => {
  vi.restoreAllMocks()
  await site.close()
})

const serializers = ['JSONSerializer', 'MsgpackSerializer', 'CBORSerializer'] as const

describe('autobahn, by', () => {
  it.each(Object.entries(ways).filter(([what]) => what !== 'scram'))(
    '%s, joins over each serializer and does everything (traps 7, 8, 13, 14: cancels, and progress, that it survives)',
    async (what, { method, authid, secret, authrole }) => {
      const orders = serializers.map((serializer): Order => {
        const name = `${what.replaceAll(' ', '-')}-${serializer.toLowerCase()}`
        return { url: site.url, serializer, name, method, authid, secret }
      })
      const visits = await Promise.all(orders.map((order) => visit(autobahn, order)))
      expect(visits).toEqual(orders.map((order) => complete(order, authrole)))
    },
  )

  it('a wrong secret is denied, and does not try again', async () => {
    for (const what of ['ticket', 'wampcra', 'salted wampcra', 'cryptosign']) {
      const way = ways[what]
      if (way === undefined) throw new Error(what)
      const { method, authid, secret } = way
      const wrong = `${secret.slice(1)}${secret.slice(0, 1)}`
      const order: Order = {
        url: site.url,
        serializer: 'JSONSerializer',
        name: 'wrong',
        method,
        authid,
        secret: wrong,
      }
      expect((await visit(autobahn, order))['closed']).toEqual(['closed', 'wamp.error.authentication_denied'])
    }
  })
})
