import { createHash, createPrivateKey, createPublicKey, sign, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket, type SecureVersion, type TlsOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { wampHello } from '../../packages/countersign/src/index.ts'
import {
  cryptosign,
  cryptosignPrincipals,
  tlsPrincipals,
  wampTls,
} from '../../packages/countersign/src/methods/index.ts'
import { Client, formats, type Carriage } from '../countersign/adapters/wamp-client.ts'
import { openSite, usualMethods, type Site } from '../countersign/adapters/wamp-site.ts'
import { until } from '../countersign/support/sockets.ts'
import { makeCertificates, type Certificates } from '../e2e/support/certificates.ts'

let folder: string
let certificates: Certificates

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wamp-tls-'))
  certificates = makeCertificates(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** An Ed25519 key as PKCS #8 around 32 bytes (RFC 8410 §7). */
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
})
const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')

async function site(tls: TlsOptions = {}): Promise<Site> {
  return openSite({
    tls: { ...certificates.server, ...tls },
    accept: [
      cryptosign({
        from: wampHello(),
        sources: [cryptosignPrincipals({ ann: { authorized_keys: [publicKey], role: 'frontend' } })],
      }),
      wampTls({
        from: wampHello(),
        sources: [tlsPrincipals({ alice: { sha256: fingerprint(), role: 'frontend' } })],
      }),
      ...usualMethods(),
    ],
  })
}

const clientFile = (name: string): Buffer => readFileSync(join(folder, name))
const fingerprint = (): string => new X509Certificate(clientFile('client.pem')).fingerprint256

/** A client, and the TLS connection under it. */
async function dial(
  at: Site,
  over: Carriage,
  version: SecureVersion,
  more: object = {},
): Promise<{ readonly client: Client; readonly tls: TLSSocket }> {
  const settings = { ca: certificates.authority, servername: 'localhost', maxVersion: version, ...more }
  const client = new Client(at, { over, format: 'cbor', tls: settings })
  let tls = client.raw
  client.web?.on('upgrade', (response: IncomingMessage) => (tls = response.socket))
  await until(() => client.open)
  if (!(tls instanceof TLSSocket)) throw new Error('no TLS')
  return { client, tls }
}

/** The channel's id, as the client's side sees it. */
const channels: Readonly<Record<string, (tls: TLSSocket) => Buffer>> = {
  'tls-exporter': (tls) => tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
  'tls-unique': (tls) =>
    createHash('sha256')
      .update(tls.getFinished() ?? '')
      .digest(),
}

const answer = (client: Client, message: Buffer): void =>
  client.send(5, sign(null, message, key).toString('hex') + message.toString('hex'), {})
const xor = (one: Buffer, other: Buffer): Buffer => one.map((byte, at) => byte ^ (other[at] ?? 0)) as Buffer

const overs = ['websocket', 'rawsocket'] as const

describe.each(overs)('%s over TLS', (over) => {
  const challenged = async (
    at: Site,
    version: SecureVersion,
    binding: string,
  ): Promise<{
    readonly client: Client
    readonly tls: TLSSocket
    readonly challenge: Buffer
    readonly bound: unknown
  }> => {
    const { client, tls } = await dial(at, over, version)
    client.hello({ authmethods: ['cryptosign'], authextra: { pubkey: publicKey, channel_binding: binding } })
    const [, , extra] = await client.heard(4)
    const { challenge, channel_binding } = extra as Readonly<Record<string, unknown>> // as the method promises
    return { client, tls, challenge: Buffer.from(String(challenge), 'hex'), bound: channel_binding }
  }

  it.each([
    ['TLSv1.3', 'tls-exporter'],
    ['TLSv1.2', 'tls-unique'],
  ] as const)('binds a signature to the channel (%s, %s)', async (version, binding) => {
    const at = await site()
    const id = channels[binding] ?? channels['tls-exporter']
    const { client, tls, challenge, bound } = await challenged(at, version, binding)
    expect(tls.getProtocol()).toBe(version)
    expect(bound).toBe(binding)
    answer(client, xor(challenge, id?.(tls) ?? challenge))
    expect((await client.heard(2))[2]).toMatchObject({ authid: 'ann', authmethod: 'cryptosign' })

    // Without the channel, or with that of another connection, it proves nothing.
    const bare = await challenged(at, version, binding)
    answer(bare.client, bare.challenge)
    expect((await bare.client.heard(3))[2]).toBe('wamp.error.authentication_denied')
    const relayed = await challenged(at, version, binding)
    answer(relayed.client, xor(relayed.challenge, id?.(tls) ?? challenge))
    expect((await relayed.client.heard(3))[2]).toBe('wamp.error.authentication_denied')
  })

  it.each([
    ['TLSv1.3', 'tls-unique'],
    ['TLSv1.2', 'tls-exporter'],
  ] as const)('says that %s has no %s, and takes the bare challenge', async (version, binding) => {
    const { client, challenge, bound } = await challenged(await site(), version, binding)
    expect(bound).toBeNull()
    answer(client, challenge)
    await client.heard(2)
  })

  it('takes a client certificate for whom it is listed, and nobody else', async () => {
    const at = await site({ requestCert: true, rejectUnauthorized: false, ca: certificates.authority })
    const certified = await dial(at, over, 'TLSv1.3', {
      cert: clientFile('client.pem'),
      key: clientFile('client.key'),
    })
    certified.client.hello({ authmethods: ['tls'] })
    expect((await certified.client.heard(2))[2]).toMatchObject({ authid: 'alice', authmethod: 'tls' })
    const stranger = await dial(at, over, 'TLSv1.3', {
      cert: clientFile('server.pem'),
      key: clientFile('server.key'),
    })
    stranger.client.hello({ authmethods: ['tls'] })
    expect((await stranger.client.heard(3))[2]).toBe('wamp.error.authentication_denied')
    const nobody = await dial(at, over, 'TLSv1.3')
    nobody.client.hello({ authmethods: ['tls'] })
    expect((await nobody.client.heard(3))[2]).toBe('wamp.error.authentication_required')
  })

  it('carries sessions of every serializer', async () => {
    const at = await site()
    for (const format of formats) {
      const client = new Client(at, {
        over,
        format,
        tls: { ca: certificates.authority, servername: 'localhost' },
      })
      await until(() => client.open)
      await client.join('peter', 'secret1')
      await client.ask(32, {}, 'com.a')
      await client.ask(16, { acknowledge: true, exclude_me: false }, 'com.a', ['x'.repeat(40_000)])
      await client.heard(36)
    }
  })
})

describe('rawsocket over TLS', () => {
  it('knows a session that was resumed by the Finished of the router', async () => {
    const at = await site()
    const first = await dial(at, 'rawsocket', 'TLSv1.2')
    const session = first.tls.getSession()
    first.client.drop()
    const { client, tls } = await dial(at, 'rawsocket', 'TLSv1.2', { session })
    expect(tls.isSessionReused()).toBe(true)
    client.hello({
      authmethods: ['cryptosign'],
      authextra: { pubkey: publicKey, channel_binding: 'tls-unique' },
    })
    const { challenge } = (await client.heard(4))[2] as Readonly<Record<string, string>> // as the method promises
    const finished = createHash('sha256').update(tls.getPeerFinished() ?? '')
    answer(client, xor(Buffer.from(String(challenge), 'hex'), finished.digest()))
    await client.heard(2)
  })
})
