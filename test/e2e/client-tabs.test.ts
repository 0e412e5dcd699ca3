/** Tabs of one site: a token that serves many connections is refreshed once for all of them, and nobody overhears it. */
import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { firstMessage } from 'countersign'
import { hmacSecret, jwt } from 'countersign/methods'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import type { Browser, Page } from '../../packages/server/src/lab/browsers/types.ts'
import { serveClient, type ClientSite } from './support/client-site.ts'

const secret = randomBytes(32)
const issuer = 'https://id.example.com'
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT of a minute, as the issuer of an application gives them. */
function newToken(): string {
  const iat = Math.floor(Date.now() / 1_000)
  const claims = {
    iss: issuer,
    aud: 'chat',
    sub: 'alice',
    iat,
    exp: iat + 60,
    jti: randomBytes(8).toString('hex'),
  }
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

let site: ClientSite
/** How long the issuer takes, ms. */
let slowMs = 0

beforeAll(async () => {
  const keys = hmacSecret(secret)
  site = await serveClient([
    jwt({ from: firstMessage(), issuer, audience: 'chat', algorithms: ['HS256'], keys }),
  ])
  site.answers = async (path) => {
    if (path !== '/token') return undefined
    await wait(slowMs)
    return { token: newToken() }
  }
})
afterAll(() => site.close())

/** A tab that keeps its token where all tabs do, and notes every channel that is opened. */
const share = (options = ''): string => `
  const { sharedCredential, firstMessage, CountersignSocket } = globalThis.countersign
  const channels = globalThis.channels = []
  const Channel = globalThis.BroadcastChannel
  globalThis.BroadcastChannel = class extends Channel {
    constructor(name) { super(name); channels.push(name) }
  }
  const getToken = sharedCredential({
    name: 'token',
    read: () => localStorage.getItem('token') ?? undefined,
    refresh: async () => {
      const { token } = await (await fetch('/token', { method: 'POST' })).json()
      localStorage.setItem('token', token)
      return token
    },
    ${options}
  })
  const socket = globalThis.socket = new CountersignSocket(location.href, { carrier: firstMessage(getToken) })
  socket.addEventListener('open', () => globalThis.opened = true)
  return true`

const renewLater = 'globalThis.renewal = socket.renew(); return true'
const patience = { timeout: 15_000 }
const posted = (path: string): number => site.posts.filter((post) => post === path).length
const ends = (): number[] => site.connections.map(({ lease }) => lease.untilMs)

describe.each(['chromium', 'firefox'] as const)('tabs of %s', (engine) => {
  let browser: Browser
  let tabs: Page[]

  beforeAll(async () => {
    browser = await launch(engine, {})
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    for (const tab of tabs ?? []) await tab.close()
    tabs = []
    site.posts.length = site.connections.length = 0
    slowMs = 0
  })

  async function openTabs(count: number, script: string): Promise<void> {
    for (let opened = 0; opened < count; opened++) tabs.push(await browser.open(site.url))
    await tabs[0]?.evaluate('localStorage.clear()')
    for (const tab of tabs) await tab.evaluate(script)
    await expect.poll(() => site.connections.length, patience).toBe(count)
    for (const tab of tabs)
      await expect.poll(() => tab.evaluate('return globalThis.opened'), patience).toBe(true)
    // Ends of tokens are whole seconds: the next token has a later one.
    await wait(1_100)
  }

  it('open by one token, and are renewed by one other', async () => {
    await openTabs(4, share())
    expect(posted('/token')).toBe(1)
    const before = ends()
    slowMs = 500
    for (const tab of tabs) await tab.evaluate(renewLater)
    const renewed = await Promise.all(tabs.map((tab) => tab.evaluate('return globalThis.renewal')))
    expect(renewed).toEqual([true, true, true, true])
    expect(posted('/token')).toBe(2)
    expect(ends().every((end, at) => end > (before[at] ?? Infinity))).toBe(true)
    expect(new Set(ends()).size).toBe(1)
  })

  it('refresh it once more when the tab that was at it is closed', async () => {
    await openTabs(4, share())
    slowMs = 1_500
    const [first, ...others] = tabs
    await first?.evaluate(renewLater)
    await expect.poll(() => posted('/token'), patience).toBe(2)
    for (const tab of others) await tab.evaluate(renewLater)
    await first?.close()
    tabs = others
    const renewed = await Promise.all(others.map((tab) => tab.evaluate('return globalThis.renewal')))
    expect(renewed).toEqual([true, true, true])
    expect(posted('/token')).toBe(3)
  })

  it('tell each other three words where there are no locks', async () => {
    const listener = await browser.open(site.url)
    await listener.evaluate(`
      const overheard = globalThis.overheard = []
      new BroadcastChannel('countersign:token').onmessage = ({ data }) => overheard.push(data)
      return true`)
    await openTabs(2, share('locks: undefined,'))
    slowMs = 500
    const [first, other] = tabs
    const before = posted('/token')
    await first?.evaluate(renewLater)
    await expect.poll(() => posted('/token'), patience).toBe(before + 1)
    await other?.evaluate(renewLater)
    for (const tab of tabs) expect(await tab.evaluate('return globalThis.renewal')).toBe(true)
    expect(posted('/token')).toBe(before + 1)
    const overheard = await listener.evaluate<unknown[]>('return globalThis.overheard')
    // A claim has a number that was drawn for it, which is nobody's secret.
    const words = overheard.map((word) => String(word).replace(/^mine -?[\d.e-]{1,24}$/, 'mine'))
    expect(new Set(words)).toEqual(new Set(['anybody', 'mine', 'done']))
    for (const tab of tabs) {
      const channels = await tab.evaluate<string[]>('return globalThis.channels')
      expect(new Set(channels)).toEqual(new Set(['countersign:token']))
    }
    await listener.close()
  })

  it('get a ticket for each socket', async () => {
    const single = `
      const { firstMessage, CountersignSocket } = globalThis.countersign
      const getTicket = async () => (await (await fetch('/ticket', { method: 'POST' })).json()).ticket
      globalThis.socket = new CountersignSocket(location.href, { carrier: firstMessage(getTicket) })
      socket.addEventListener('open', () => globalThis.opened = true)
      return true`
    await openTabs(3, single)
    expect(site.posts).toEqual(['/ticket', '/ticket', '/ticket'])
    for (const tab of tabs) await tab.evaluate(renewLater)
    for (const tab of tabs) expect(await tab.evaluate('return globalThis.renewal')).toBe(true)
    expect(posted('/ticket')).toBe(6)
  })
})
