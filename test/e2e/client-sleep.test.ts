/** The client in browsers that sleep and wake, and whose network goes and comes. */
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Page } from '../../packages/server/src/lab/browsers/types.ts'
import { serveClient, type ClientSite } from './support/client-site.ts'
import { launchSleeper, type Sleeper } from './support/suspension.ts'

let site: ClientSite

beforeAll(async () => {
  site = await serveClient()
})
afterAll(() => site.close())

/** Opens a socket in the page and writes down what is heard of it, with the time. */
const hold = (leaseMs: number, options = ''): string => `
  const { countersign } = globalThis
  const { firstMessage, CountersignSocket } = countersign
  const fresh = async () => (await (await fetch('/ticket?lease=${String(leaseMs)}', { method: 'POST' })).json()).ticket
  const heard = globalThis.heard = []
  const errors = globalThis.errors = []
  const socket = globalThis.socket = new CountersignSocket(location.href, { carrier: firstMessage(fresh), ${options} })
  for (const type of ['open', 'reconnecting', 'close']) socket.addEventListener(type, () => heard.push(type))
  socket.addEventListener('error', ({ error }) => errors.push(error.name))
  socket.addEventListener('lease', () => globalThis.renewed = (globalThis.renewed ?? 0) + 1)
  return true`

/** From now on in \`inMs\`, the page says one number after the other. */
const speakLater = (inMs: number): string => `
  let said = 0
  setTimeout(() => {
    globalThis.speaking = setInterval(() => {
      globalThis.said = said + 1
      socket.send(String(said++))
    }, 20)
  }, ${String(inMs)})
  return true`

const hears = (page: Page): Promise<string[]> => page.evaluate('return globalThis.heard')
const texts = (at: number): string[] => site.connections[at]?.heard.map(({ text }) => text) ?? []
/** Waits for it: a browser that shares two cores is slow at times. */
const patience = { timeout: 15_000 }

const numbers = (length: number): string[] => Array.from({ length }, (_, index) => String(index))

/** The page stops speaking. @returns how much it has said */
const hush = (page: Page): Promise<number> =>
  page.evaluate('clearInterval(globalThis.speaking); return globalThis.said ?? 0')

describe.each(['chromium', 'firefox'] as const)('the client in %s', (engine) => {
  let sleeper: Sleeper
  let page: Page

  beforeAll(async () => {
    sleeper = await launchSleeper(engine)
  })
  afterAll(() => sleeper.close())
  beforeEach(async () => {
    site.journal.length = site.connections.length = site.posts.length = 0
    page = await sleeper.browser.open(site.url)
    onTestFinished(() => page.close())
  })

  /** Every process of the browser stops for a while. */
  async function sleep(ms: number): Promise<void> {
    sleeper.fallAsleep()
    await wait(ms)
    sleeper.wake()
  }

  /** Chromium's own way to stop a page: by its protocol. */
  async function freeze(ms: number): Promise<void> {
    const session = await page.puppeteer?.createCDPSession()
    await session?.send('Page.setWebLifecycleState', { state: 'frozen' })
    await wait(ms)
    await session?.send('Page.setWebLifecycleState', { state: 'active' })
  }

  const naps =
    engine === 'chromium'
      ? ([
          ['asleep', sleep],
          ['frozen', freeze],
        ] as const)
      : ([['asleep', sleep]] as const)

  it.each(naps)('that was %s past the end of its lease says everything under another', async (_how, nap) => {
    await page.evaluate(hold(3_000))
    await expect.poll(() => hears(page), patience).toEqual(['open'])
    await page.evaluate(speakLater(1_000))
    await nap(7_000)
    await expect.poll(() => site.connections.length, patience).toBe(2)
    const said = await hush(page)
    await expect.poll(() => site.connections.flatMap((_, at) => texts(at)).length, patience).toBe(said)
    expect(texts(0)).toEqual([])
    expect(site.connections.flatMap((_, at) => texts(at))).toEqual(numbers(said))
    expect(site.journal.filter(({ kind }) => kind === 'refused')).toEqual([])
  })

  it.each(naps)('that was %s and has a lease says nothing before it is renewed', async (_how, nap) => {
    await page.evaluate(hold(600_000, 'sleepMs: 2_000'))
    await expect.poll(() => hears(page), patience).toEqual(['open'])
    const untilMs = site.connections[0]?.lease.untilMs ?? 0
    await page.evaluate(speakLater(1_000))
    await nap(5_000)
    await expect
      .poll(() => site.connections.flatMap((_, at) => texts(at)).length, patience)
      .toBeGreaterThan(3)
    const said = await hush(page)
    await expect.poll(() => site.connections.flatMap((_, at) => texts(at)).length, patience).toBe(said)
    expect(site.connections.flatMap((_, at) => texts(at))).toEqual(numbers(said))
    const ends = site.connections.flatMap(({ heard }) => heard.map((message) => message.untilMs))
    expect(Math.min(...ends)).toBeGreaterThan(untilMs + 2_000)
  })

  /** The network is gone: for the page by the browser's protocol, for the server by its sockets. */
  async function unplug(): Promise<void> {
    await page.puppeteer?.setOfflineMode(true)
    site.cut()
    const isOffline =
      'return !navigator.onLine && globalThis.sockets.every(({ readyState }) => readyState === 0)'
    await expect.poll(() => page.evaluate(isOffline), patience).toBe(true)
  }

  const many = (count: number, options = ''): string => `
    const { firstMessage, CountersignSocket } = globalThis.countersign
    const fresh = async () => (await (await fetch('/ticket', { method: 'POST' })).json()).ticket
    const heard = globalThis.heard = []
    const errors = globalThis.errors = []
    globalThis.sockets = Array.from({ length: ${String(count)} }, () => {
      const socket = new CountersignSocket(location.href, { carrier: firstMessage(fresh), ${options} })
      for (const type of ['open', 'reconnecting', 'close']) socket.addEventListener(type, () => heard.push(type))
      socket.addEventListener('error', ({ error }) => errors.push(error.name))
      return socket
    })
    return true`

  it('comes back once, and soon, when the network does', async () => {
    await page.evaluate(many(5, 'outbox: { maxMessages: 10 }'))
    await expect.poll(() => hears(page), patience).toEqual(Array.from({ length: 5 }, () => 'open'))
    await unplug()
    site.posts.length = 0
    await page.evaluate('for (let said = 0; said < 15; said++) globalThis.sockets[0].send(String(said))')
    await wait(4_000)
    expect([site.connections.length, site.posts.length]).toEqual([5, 0])
    expect(await page.evaluate('return globalThis.errors')).toEqual(
      Array.from({ length: 5 }, () => 'OutboxOverflow'),
    )
    const backMs = Date.now()
    await page.puppeteer?.setOfflineMode(false)
    await expect.poll(() => site.connections.length, patience).toBe(10)
    expect(Date.now() - backMs).toBeLessThan(3_000)
    await expect.poll(() => site.connections.flatMap((_, at) => texts(at)), patience).toEqual(numbers(10))
    await wait(2_000)
    expect([site.connections.length, site.posts.length]).toEqual([10, 5])
    const words = await hears(page)
    expect(words.filter((word) => word === 'reconnecting')).toHaveLength(5)
    expect(words.filter((word) => word === 'open')).toHaveLength(10)
  })

  it('comes back ever more seldom to a server that went away meanwhile, until it is there', async () => {
    const pauses = 'pauses: { minMs: 50, advisedMs: 400, maxMs: 1_600 }'
    await page.evaluate(many(1, `${pauses}, random: () => 0.9`))
    await expect.poll(() => hears(page), patience).toEqual(['open'])
    await unplug()
    await site.stop()
    onTestFinished(async () => {
      if (!site.listening()) await site.start()
    })
    await page.evaluate("globalThis.sockets[0].send('kept')")
    await page.puppeteer?.setOfflineMode(false)
    await wait(6_000)
    // The pauses are 0.36, 0.72, 1.44, 1.44 s and so on, after the loss and the attempt at once.
    const tries = (await hears(page)).filter((word) => word === 'reconnecting').length
    expect(tries).toBeGreaterThan(2)
    expect(tries).toBeLessThan(9)
    await site.start()
    await expect.poll(() => texts(1), patience).toEqual(['kept'])
    expect(site.connections).toHaveLength(2)
  })
})
