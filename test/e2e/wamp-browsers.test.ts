/** autobahn-browser, unmodified, in real browsers. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import type { Browser, Page } from '../../packages/server/src/lab/browsers/types.ts'
import type { Site } from '../countersign/adapters/wamp-site.ts'
import { complete, visit, type Order, type Visited } from '../integration/wamp-autobahn.ts'
import { startForGuests, ways } from '../integration/wamp-guests.ts'

const bundle = readFileSync(createRequire(import.meta.url).resolve('autobahn-browser/autobahn.min.js'))
const page =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title><script src="/autobahn.js"></script></html>'

/** The page's own server: the router is told its origin. */
const pages = createServer((request, response) => {
  const isScript = request.url === '/autobahn.js'
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
  response.end(isScript ? bundle : page)
})
let origin: string
let site: Site
beforeAll(async () => {
  pages.listen(0, '127.0.0.1')
  await once(pages, 'listening')
  origin = `http://localhost:${(pages.address() as AddressInfo).port}` // a TCP server that listens has one
  site = await startForGuests({ guard: { origins: [origin] } })
})
afterAll(async () => {
  pages.closeAllConnections()
  pages.close()
  await site.close()
})

const serializers = ['JSONSerializer', 'MsgpackSerializer', 'CBORSerializer'] as const

describe.each(['chromium', 'firefox'] as const)('autobahn-browser in %s', (engine) => {
  let browser: Browser
  let tab: Page
  beforeAll(async () => {
    browser = await launch(engine)
    tab = await browser.open(`${origin}/`)
  })
  afterAll(() => browser.close())

  it.each(Object.entries(ways).filter(([what]) => what !== 'scram'))(
    'joins by %s over each serializer, and does everything a session can',
    async (what, { method, authid, secret, authrole }) => {
      const orders = serializers.map((serializer): Order => {
        const name = `${engine}-${what.replaceAll(' ', '-')}-${serializer.toLowerCase()}`
        return { url: site.url, serializer, name, method, authid, secret }
      })
      const script = `const visit = ${visit.toString()}
        return await Promise.all(${JSON.stringify(orders)}.map((order) => visit(globalThis.autobahn, order)))`
      const visits = await tab.evaluate<readonly Visited[]>(script)
      expect(visits).toEqual(orders.map((order) => complete(order, authrole)))
    },
  )
})
