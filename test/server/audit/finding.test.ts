import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { audit } from '../../../packages/server/src/audit/audit.ts'
import type { Report } from '../../../packages/server/src/audit/audit.ts'
import { listening, openSite, type Target } from './support/site.ts'

const open: Target[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((target) => target.close()))
})

async function running(target: Promise<Target>): Promise<Target> {
  const opened = await target
  open.push(opened)
  return opened
}

const looking = { only: ['O8'], settleMs: 200 } as const

async function reportOf(target: string): Promise<Report> {
  return audit(target, looking)
}

describe('a target', () => {
  it('may be a page whose script opens a socket', async () => {
    const site = await running(
      openSite({
        page: ({ url }) =>
          url === '/'
            ? '<script src="/app.js"></script>'
            : url === '/app.js'
              ? 'new WebSocket(`ws://${location.host}/socket`)'
              : undefined,
      }),
    )
    const { endpoint } = await reportOf(new URL('/', site.url.replace(/^ws/, 'http')).href)
    expect(endpoint.url.href).toBe(site.url)
    expect(endpoint.page?.pathname).toBe('/')
    expect(endpoint.origin).toBe(new URL(site.url.replace(/^ws/, 'http')).origin)
  })

  it('may be a command of curl, whose cookie is the identity low', async () => {
    const site = await running(openSite())
    const login = await fetch(new URL('/login', site.url.replace(/^ws/, 'http')), {
      method: 'POST',
      body: 'user=mira&password=a-window-in-may',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      redirect: 'manual',
    })
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const own = new URL(site.url.replace(/^ws/, 'http')).origin
    const { whoami } = site.options
    const report = await audit(`curl '${site.url}' -H 'Origin: ${own}' -H 'Cookie: ${cookie}'`, {
      ...(whoami === undefined ? {} : { whoami }),
      only: ['O1'],
    })
    expect(report.results[0]?.outcome.kind).toBe('pass')
    expect(JSON.stringify(report)).not.toContain(cookie.split('=')[1])
  })

  it('is told to be Socket.IO by its greeting, wherever it lives', async () => {
    const server = createServer()
    const io = new Server(server, { path: '/live/' })
    const site = await running(listening(server, {}, () => void io.close()))
    const { endpoint } = await reportOf(site.url.replace('/socket', '/live/'))
    expect(endpoint.protocol).toBe('socket.io')
  })

  it.each([
    ['graphql-transport-ws', 'graphql-transport-ws'],
    ['graphql-ws', 'graphql-ws'],
    ['wamp.2.json', 'wamp'],
    ['app.v1', 'plain'],
  ])('that selects %s speaks %s', async (selected, protocol) => {
    const server = createServer()
    const wss = new WebSocketServer({
      server,
      handleProtocols: (offered) => (offered.has(selected) ? selected : false),
    })
    const site = await running(listening(server, {}, () => wss.close()))
    const { endpoint } = await reportOf(site.url)
    expect(endpoint.protocol).toBe(protocol)
  })

  it('that selects whatever is offered is plain', async () => {
    const site = await running(
      openSite({ admits: () => true, ws: { handleProtocols: (offered) => [...offered][0] ?? false } }),
    )
    expect((await reportOf(site.url)).endpoint.protocol).toBe('plain')
  })

  it('may hold user information, which is shown nowhere', async () => {
    const site = await running(openSite())
    const report = await reportOf(site.url.replace('ws://', 'ws://joe:not-to-be-seen@'))
    expect(JSON.stringify(report)).not.toContain('not-to-be-seen')
  })

  it.each([
    ['nonsense', 'is no address'],
    ['curl -H "a: b"', 'names no address'],
    ['{"log":{}}', 'holds no socket'],
    ['file:///etc/passwd', 'is no address'],
  ])('%s leads nowhere', async (target, words) => {
    await expect(reportOf(target)).rejects.toThrow(words)
  })

  it('beyond this machine is out of scope', async () => {
    await expect(reportOf('ws://192.0.2.1/socket')).rejects.toThrow('--allow')
  })

  it('of this machine with a node beyond it is out of scope', async () => {
    const site = await running(openSite())
    const options = { only: ['O1'], nodes: ['ws://192.0.2.1/socket'] }
    await expect(audit(site.url, options)).rejects.toThrow('--allow')
  })

  it('behind a page of this machine is out of scope when it is elsewhere', async () => {
    const site = await running(
      openSite({ page: () => "<script>new WebSocket('ws://192.0.2.1/socket')</script>" }),
    )
    await expect(reportOf(new URL('/', site.url.replace(/^ws/, 'http')).href)).rejects.toThrow('--allow')
  })
})
