/** The client in real browsers: bundled as pages get it, against a guarded server of the page's own origin. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  challengeFrames,
  createGuard,
  firstMessage,
  memory,
  query,
  type Guard,
  type JournalEntry,
} from 'countersign'
import {
  accounts,
  cryptosign,
  cryptosignPrincipals,
  scram,
  scramPrincipals,
  ticket,
  wampcra,
  wampcraUsers,
} from 'countersign/methods'
import { nodePlatform, scramKeys } from 'countersign/platform/node'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { launch } from '../../packages/server/src/lab/browsers/launch.ts'
import { engines, type Browser, type Page } from '../../packages/server/src/lab/browsers/types.ts'
import { bundleClient } from './support/client-site.ts'

interface Site {
  readonly url: string
  readonly guard: Guard
  readonly journal: JournalEntry[]
  readonly wss: WebSocketServer
  readonly server: Server
  /** How often a token was refreshed. */
  refreshes: number
}

const secret = 'correct horse battery staple'
/** Seed of an Ed25519 key, and what the server knows of it. */
const seed = '1f'.repeat(32)
const pkcs8 = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex')
const { x = '' } = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({
  format: 'jwk',
})
let site: Site

/** Issues a ticket or a secret for whoever asks: the pages here are all the same one's. */
async function issue(path: string): Promise<object> {
  const { issue } = site.guard
  if (path === '/secret') return issue.challengeSecret({ subject: 'alice', authid: 'alice', secret })
  if (path === '/refresh') return { token: `token-${++site.refreshes}` }
  return { ticket: (await issue.ticket({ subject: 'alice' })).ticket }
}

beforeAll(async () => {
  const code = await bundleClient('script-all')
  const server = createServer((request, response) => {
    const { method, url = '/' } = request
    if (method === 'POST') {
      void issue(url).then((said) =>
        response.setHeader('content-type', 'application/json').end(JSON.stringify(said)),
      )
    } else if (url === '/given') {
      void site.guard.issue.challengeSecret({ subject: 'alice' }).then(({ authid, secret }) => {
        const block = JSON.stringify({ authid, secret })
        response
          .setHeader('content-type', 'text/html')
          .end(
            `<!doctype html><title>given</title><script type="application/json" id="countersign-secret">${block}</script><script src="/client.js"></script>`,
          )
      })
    } else if (url === '/client.js') response.setHeader('content-type', 'text/javascript').end(code)
    else {
      response
        .setHeader('content-type', 'text/html')
        .setHeader('content-security-policy', "default-src 'none'; script-src 'self'; connect-src 'self' ws:")
        .end('<!doctype html><title>client</title><script src="/client.js"></script>')
    }
  }).listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://localhost:${port}/`
  const journal: JournalEntry[] = []
  const users = wampcraUsers(
    { bob: { secret, salt: 'salt123', iterations: 1_000, role: 'member' } },
    nodePlatform().derive,
  )
  const guard = createGuard({
    records: memory(),
    origins: [url.slice(0, -1)],
    accept: [
      ticket({ from: [query('ticket'), firstMessage()] }),
      wampcra({ from: challengeFrames(), sources: [accounts(), users] }),
      scram({
        from: challengeFrames(),
        sources: [scramPrincipals({ alice: await scramKeys(secret, { kdf: 'pbkdf2', iterations: 4_096 }) })],
      }),
      cryptosign({
        from: challengeFrames(),
        sources: [
          cryptosignPrincipals({
            sensor: { authorized_keys: [Buffer.from(x, 'base64url').toString('hex')] },
          }),
        ],
      }),
    ],
    journal: { record: (entry) => void journal.push(entry) },
  })
  const wss = new WebSocketServer({ noServer: true })
  guardUpgrades(server, wss, guard)
  const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}`)
  wss.on('connection', greet)
  site = { url, guard, journal, wss, server, refreshes: 0 }
})

afterAll(async () => {
  for (const socket of site.wss.clients) socket.terminate()
  site.guard.close()
  site.server.closeAllConnections()
  site.server.close()
  await once(site.server, 'close')
})

/** Opens a socket in the page and writes down what is heard of it. */
const hold = (carrier: string): string => `
  const { countersign } = globalThis
  const post = async (path) => (await fetch(path, { method: 'POST' })).json()
  const heard = globalThis.heard = []
  const socket = globalThis.socket = new countersign.CountersignSocket(location.href, { carrier: ${carrier}, pauses: { minMs: 20 } })
  for (const type of ['open', 'reconnecting', 'close']) {
    socket.addEventListener(type, ({ code, reason }) => heard.push([type, code, reason].join(' ').trim()))
  }
  socket.addEventListener('message', ({ data }) => heard.push(data))
  return true`

const byMessage = "countersign.firstMessage(async () => (await post('/ticket')).ticket)"

async function hears(page: Page, expected: readonly string[]): Promise<void> {
  await expect.poll(() => page.evaluate('return globalThis.heard'), { timeout: 15_000 }).toEqual(expected)
}

describe.each(engines)('the client in %s', (engine) => {
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    browser = await launch(engine, {})
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    site.journal.length = 0
    page = await browser.open(site.url)
  })

  it('opens by the first message, renews, and stops when it is revoked', async () => {
    await page.evaluate(hold(byMessage))
    await hears(page, ['open', 'Hello alice'])
    expect(await page.evaluate('return await socket.renew()')).toBe(true)
    await site.guard.revoke({ subject: 'alice' })
    await hears(page, ['open', 'Hello alice', 'close 3003 revoked'])
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(site.journal.filter(({ kind }) => kind === 'refused')).toEqual([])
  })

  it('opens by a ticket in the query', async () => {
    await page.evaluate(hold("countersign.query(async () => (await post('/ticket')).ticket)"))
    await hears(page, ['open', 'Hello alice'])
  })

  it('is not open before it is accepted, and shows a refused ticket once', async () => {
    await page.evaluate(hold("countersign.query(() => 'cst_wrong')"))
    await hears(page, ['reconnecting 3000 invalid_credential', 'close 3000 invalid_credential'])
    expect(site.journal.filter(({ kind }) => kind === 'refused')).toHaveLength(1)
  })

  it('answers a challenge', async () => {
    await page.evaluate(hold("countersign.challengeResponse(() => post('/secret'))"))
    await hears(page, ['open', 'Hello alice'])
  })

  it('answers a challenge by SCRAM, and renews', async () => {
    const methods = '{ methods: [countersign.scramSha256()] }'
    await page.evaluate(
      hold(`countersign.challengeResponse(() => ({ authid: 'alice', secret: '${secret}' }), ${methods})`),
    )
    await hears(page, ['open', 'Hello alice'])
    expect(await page.evaluate('return await socket.renew()')).toBe(true)
  })

  it('answers a challenge by an Ed25519 key where the engine has those, and stops where not', async () => {
    const methods = '{ methods: [countersign.cryptosign()] }'
    const has = await page.evaluate(
      "return crypto.subtle.generateKey('Ed25519', false, ['sign']).then(() => true, () => false)",
    )
    await page.evaluate(
      hold(`countersign.challengeResponse(() => ({ authid: 'sensor', secret: '${seed}' }), ${methods})`),
    )
    await hears(page, has === true ? ['open', 'Hello sensor'] : ['close 1002 unanswerable_challenge'])
    console.log(`${engine}: Ed25519 ${String(has)}`)
  })

  it('takes the secret out of the page, and answers with it', async () => {
    const given = await browser.open(`${site.url}given`)
    await given.evaluate(hold('countersign.challengeResponse(countersign.secretFromPage())'))
    await hears(given, ['open', 'Hello alice'])
    expect(await given.evaluate("return document.getElementById('countersign-secret') === null")).toBe(true)
    expect(await given.evaluate('return document.documentElement.outerHTML.includes("secret")')).toBe(false)
  })

  it('answers a challenge with a key that is derived from the secret', async () => {
    const known = JSON.stringify({ authid: 'bob', secret })
    await page.evaluate(hold(`countersign.challengeResponse(() => (${known}))`))
    await hears(page, ['open', 'Hello bob'])
  })

  it('comes back with a fresh ticket after a loss', async () => {
    await page.evaluate(hold(byMessage))
    await hears(page, ['open', 'Hello alice'])
    for (const socket of site.wss.clients) socket.terminate()
    await hears(page, ['open', 'Hello alice', 'reconnecting 1006', 'open', 'Hello alice'])
  })

  it('in two tabs refreshes a shared token once', async () => {
    const other = await browser.open(site.url)
    const before = site.refreshes
    const share = `
      localStorage.clear()
      globalThis.shared = countersign.sharedCredential({
        name: 'token',
        read: () => localStorage.getItem('token') ?? undefined,
        refresh: async () => {
          const { token } = await (await fetch('/refresh', { method: 'POST' })).json()
          await new Promise((resolve) => setTimeout(resolve, 500))
          localStorage.setItem('token', token)
          return token
        },
      })
      return true`
    const get = `
      const { signal } = new AbortController()
      return await shared({ purpose: 'connect', refused: undefined, signal })`
    for (const tab of [page, other]) await tab.evaluate(share)
    const [one, two] = await Promise.all([page.evaluate(get), other.evaluate(get)])
    expect(one).toBe(two)
    expect(site.refreshes).toBe(before + 1)
  })
})
