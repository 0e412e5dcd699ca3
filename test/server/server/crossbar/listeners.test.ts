import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect as connectRaw } from 'node:net'
import { join as joinPath } from 'node:path'
import { connect as connectTls, type PeerCertificate } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { createAuthority } from '../../../../packages/server/src/server/certificates.ts'
import { folder, frontend, mount, node, nodeOf, urlOf, users, websocket } from './mounted.ts'
import { join, shows, signs } from './wamp-client.ts'

const joe = { methods: ['wampcra'], authid: 'joe', answer: signs('secret2') }
const auth = users({ joe: 'secret2' })

/** A folder with an authority, a server's certificate for `localhost`, and a client's. */
async function pki(): Promise<{
  readonly at: string
  readonly ca: string
  readonly client: { readonly cert: string; readonly key: string; readonly fingerprint: string }
  readonly renew: () => Promise<void>
}> {
  const at = folder()
  const authority = await createAuthority('test', 2)
  const renew = async (): Promise<void> => {
    const server = await authority.issue({
      use: 'server',
      commonName: 'localhost',
      hosts: ['localhost'],
      days: 1,
    })
    writeFileSync(joinPath(at, 'server.pem'), server.certificate)
    writeFileSync(joinPath(at, 'server.key'), server.privateKey)
  }
  await renew()
  writeFileSync(joinPath(at, 'ca.pem'), authority.certificate)
  const client = await authority.issue({ use: 'client', commonName: 'robot', days: 1 })
  const { certificate: cert, privateKey: key, fingerprint } = client
  return { at, ca: authority.certificate, client: { cert, key, fingerprint }, renew }
}

function tls(more: object = {}): object {
  const files = { key: 'server.key', certificate: 'server.pem', ...more }
  return { type: 'tcp', interface: 'localhost', port: 0, tls: files }
}

/** The certificate that a server shows. */
function shown(url: string, ca: string): Promise<PeerCertificate> {
  const { port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port: Number(port), host: 'localhost', ca }, () => {
      resolve(socket.getPeerCertificate())
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

describe('an endpoint with TLS', () => {
  it('encrypts, and carries tickets', async () => {
    const { at, ca } = await pki()
    const ticket = { ticket: { type: 'static', principals: { joe: { ticket: 'abc', role: 'frontend' } } } }
    const mounted = await mount(node([websocket(ticket, { endpoint: tls() })]), { at })
    expect(urlOf(mounted)).toMatch(/^wss:\/\/localhost:\d+\/$/)
    const who = { methods: ['ticket'], authid: 'joe', answer: shows('abc'), options: { ca } }
    expect(await join(urlOf(mounted), who)).toMatchObject({ kind: 'joined' })
  })

  it('shows another certificate after a reload, and keeps the old one where the new one is broken', async () => {
    const { at, ca, renew } = await pki()
    const config = node([websocket(auth, { endpoint: tls() })])
    const mounted = await mount(config, { at })
    const first = await shown(urlOf(mounted), ca)
    await renew()
    expect(await mounted.reload(nodeOf(config, at))).toMatchObject({ kind: 'reloaded' })
    const second = await shown(urlOf(mounted), ca)
    expect(second.fingerprint256).not.toBe(first.fingerprint256)
    writeFileSync(joinPath(at, 'server.pem'), 'nothing')
    expect(await mounted.reload(nodeOf(config, at))).toMatchObject({
      kind: 'kept',
      why: expect.stringContaining('server.pem'),
    })
    expect((await shown(urlOf(mounted), ca)).fingerprint256).toBe(second.fingerprint256)
  })

  it('with ca_certificates takes nobody without a certificate, and knows those who have one', async () => {
    const { at, ca, client } = await pki()
    const methods = {
      tls: {
        type: 'static',
        principals: { robot: { x_certificate_sha256: client.fingerprint, role: 'frontend' } },
      },
    }
    const options = { allowed_origins: ['https://app.example.com'] }
    const endpoint = tls({ ca_certificates: ['ca.pem'] })
    const mounted = await mount(node([websocket(methods, { endpoint, options })]), { at })
    const who = { methods: ['tls'], options: { ca, cert: client.cert, key: client.key } }
    expect(await join(urlOf(mounted), who)).toMatchObject({
      kind: 'joined',
      details: { authid: 'robot', authmethod: 'tls' },
    })
    expect(await join(urlOf(mounted), { ...who, options: { ca } })).toMatchObject({
      kind: 'closed',
      code: 1006,
    })
  })

  it('names a file that cannot be read', async () => {
    const { at } = await pki()
    const endpoint = tls({ key: 'other.key' })
    await expect(mount(node([websocket(auth, { endpoint })]), { at })).rejects.toThrow(
      /other\.key: cannot be read \(ENOENT\)/,
    )
  })
})

/** Says HELLO over RawSocket in JSON, and answers the first message that comes. */
function rawHello(port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connectRaw(port, '127.0.0.1')
    let bytes = Buffer.alloc(0)
    socket.on('error', reject)
    socket.write(Uint8Array.of(0x7f, 0xf1, 0, 0))
    const hello = Buffer.from(
      JSON.stringify([1, 'realm1', { roles: { caller: {} }, authmethods: ['wampcra'], authid: 'joe' }]),
    )
    const header = Buffer.alloc(4)
    header.writeUInt32BE(hello.length)
    socket.write(Buffer.concat([header, hello]))
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      if (bytes.length < 8 || bytes.length < 8 + bytes.readUIntBE(5, 3)) return
      resolve(JSON.parse(bytes.subarray(8).toString()))
      socket.destroy()
    })
  })
}

describe('a RawSocket transport', () => {
  it('challenges who says HELLO', async () => {
    const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 }
    const mounted = await mount(node([{ type: 'rawsocket', endpoint, serializers: ['json'], auth }]))
    expect(urlOf(mounted)).toMatch(/^rs:\/\/127\.0\.0\.1:\d+$/)
    expect(await rawHello(Number(new URL(urlOf(mounted)).port))).toMatchObject([4, 'wampcra', {}])
  })
})

describe('a universal transport', () => {
  it('tells RawSocket, WebSocket and plain requests apart', async () => {
    const mounted = await mount(
      node([
        {
          type: 'universal',
          endpoint: { type: 'tcp', interface: '127.0.0.1', port: 0 },
          rawsocket: { serializers: ['json'], auth },
          websocket: { ws: { type: 'websocket', auth } },
          web: { paths: { '/': { type: 'json', value: { answer: 42 } } } },
        },
      ]),
    )
    const { host, port } = new URL(urlOf(mounted))
    expect(mounted.listeners.map(({ url }) => url)).toEqual([
      `http://${host}/`,
      `rs://${host}`,
      `ws://${host}/ws`,
    ])
    expect(await rawHello(Number(port))).toMatchObject([4, 'wampcra', {}])
    expect(await join(`ws://${host}/ws`, joe)).toMatchObject({ kind: 'joined' })
    expect(await join(`ws://${host}/other`, joe)).toEqual({ kind: 'http', status: 404 })
    expect(await (await fetch(`http://${host}/`)).json()).toEqual({ answer: 42 })
  })
})

describe('a web transport', () => {
  async function web(): Promise<string> {
    const at = folder()
    mkdirSync(joinPath(at, 'web/deep'), { recursive: true })
    writeFileSync(joinPath(at, 'web/index.html'), '<p>home')
    writeFileSync(joinPath(at, 'web/.env'), 'SECRET=1')
    writeFileSync(joinPath(at, 'web/deep/page.html'), '<p>page')
    writeFileSync(joinPath(at, 'outside.txt'), 'private')
    symlinkSync('../outside.txt', joinPath(at, 'web/link.txt'))
    const paths = {
      '/': { type: 'static', directory: 'web' },
      settings: { type: 'json', value: [1], options: { discourage_caching: true } },
      info: { type: 'nodeinfo' },
      old: { type: 'redirect', url: '/info' },
      ws: { type: 'websocket', auth },
      api: { type: 'path', paths: { ws: { type: 'websocket', auth } } },
    }
    const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 }
    return urlOf(await mount(node([{ type: 'web', endpoint, paths }]), { at })).replace(/\/$/, '')
  }

  it('answers with its services, and opens to WebSockets at their exact paths', async () => {
    const base = await web()
    const said = async (path: string): Promise<readonly [number, string]> => {
      const answer = await fetch(base + path, { redirect: 'manual' })
      return [answer.status, await answer.text()]
    }
    expect(await said('/')).toEqual([200, '<p>home'])
    expect(await said('/deep/page.html?x=1')).toEqual([200, '<p>page'])
    expect(await said('/settings')).toEqual([200, '[1]'])
    expect(await said('/info')).toEqual([200, 'Countersign\n'])
    expect((await fetch(`${base}/old`, { redirect: 'manual' })).headers.get('location')).toBe('/info')
    expect((await said('/ws'))[0]).toBe(426)
    const socket = base.replace('http', 'ws')
    expect(await join(`${socket}/ws`, joe)).toMatchObject({ kind: 'joined' })
    expect(await join(`${socket}/api/ws?x=1`, joe)).toMatchObject({ kind: 'joined' })
    expect(await join(`${socket}/ws/`, joe)).toEqual({ kind: 'http', status: 404 })
  })

  it.each([
    '/.env',
    '/%2eenv',
    '/../outside.txt',
    '/deep/../../outside.txt',
    '/%2e%2e/outside.txt',
    '/..%2foutside.txt',
    '/link.txt',
    '/deep//page.html',
    '/%00',
    '/%ff',
    '/deep/',
    '/missing',
  ])('gives out nothing for %s', async (path) => {
    const { port } = new URL(await web())
    const status = await new Promise<string>((resolve) => {
      const socket = connectRaw(Number(port), '127.0.0.1')
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      socket.once('data', (chunk: Buffer) => {
        socket.destroy()
        resolve(chunk.toString().slice(9, 12))
      })
    })
    expect(status).toBe('404')
  })

  it('answers to GET and HEAD alone', async () => {
    const base = await web()
    expect((await fetch(`${base}/`, { method: 'POST' })).status).toBe(405)
    const head = await fetch(`${base}/`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '7', ''])
  })
})

describe('whoever is slow', () => {
  it('with a request is cut off, on web and on universal transports', async () => {
    const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 }
    const paths = { '/': { type: 'nodeinfo' } }
    const mounted = await mount(
      node([
        { type: 'universal', endpoint, rawsocket: { auth }, web: { paths } },
        { type: 'web', endpoint, paths },
      ]),
    )
    const bases = mounted.listeners.filter(({ url }) => url.startsWith('http:'))
    const answers = bases.map(
      ({ url }) =>
        new Promise<string>((resolve) => {
          let text = ''
          const socket = connectRaw(Number(new URL(url).port), '127.0.0.1')
          socket.write('GET / HTTP/1.1\r\nHost: loc')
          socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
          socket.on('close', () => resolve(text))
        }),
    )
    const late = expect.stringContaining('408 Request Timeout')
    expect(await Promise.all(answers)).toEqual([late, late])
  })
})

describe('an endpoint in clear beyond this machine', () => {
  it('takes tickets of this machine', async () => {
    const ticket = { ticket: { type: 'static', principals: { joe: { ticket: 'abc', role: 'frontend' } } } }
    const mounted = await mount(node([websocket(ticket, { endpoint: { type: 'tcp', port: 0 } })], [frontend]))
    expect(urlOf(mounted)).toMatch(/^ws:\/\/localhost:/)
    const who = { methods: ['ticket'], authid: 'joe', answer: shows('abc') }
    expect(await join(urlOf(mounted), who)).toMatchObject({ kind: 'joined' })
  })
})
