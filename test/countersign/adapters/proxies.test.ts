import { connect as connectTls } from 'node:tls'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  handshakeOf,
  trustProxies,
  type ProxyOptions,
} from '../../../packages/countersign/src/adapters/http.ts'
import { firstMessage, query, tls, type PeerCertificate } from '../../../packages/countersign/src/index.ts'
import { certificate, ticket } from '../../../packages/countersign/src/methods/index.ts'
import {
  createAuthority,
  type Authority,
  type KeyPairPem,
} from '../../../packages/server/src/server/certificates.ts'
import { commaCertificate } from '../support/certificates.ts'
import { pageOrigin } from '../support/guard.ts'
import {
  call,
  expectAccepted,
  expectRefused,
  openGuarded,
  rawRequest,
  rawUpgrade,
  until,
  upgradeLines,
  type Door,
  type DoorOptions,
} from '../support/sockets.ts'

/** A door for tickets behind a proxy on loopback. */
const behind = (proxies?: ProxyOptions, options: Partial<DoorOptions> = {}): Promise<Door> =>
  openGuarded({
    accept: [ticket({ from: [query('ticket'), firstMessage()] })],
    ...(proxies === undefined ? {} : { proxies }),
    ...options,
  })

/** Whom the journal takes for the caller, after one refused attempt with these lines. */
async function callerSeen(door: Door, lines: readonly string[]): Promise<string | undefined> {
  const raw = rawUpgrade(door, '/?ticket=cst_wrong', lines)
  await raw.heard('HTTP/1.1 4')
  return door.journal.at(-1)?.remoteAddress
}

describe('an address', () => {
  const lines = [
    'X-Forwarded-For: 198.51.100.1, 192.0.2.7',
    'Forwarded: for=203.0.113.9',
    'X-Forwarded-Proto: https',
  ]

  test('is that of the peer when nobody is trusted', async () => {
    expect(await callerSeen(await behind(), lines)).toBe('127.0.0.1')
  })

  test('is that of the peer when it is not the one who is trusted', async () => {
    expect(await callerSeen(await behind({ trusted: ['192.0.2.0/24'] }), lines)).toBe('127.0.0.1')
  })

  test('is the right-most one that no trusted proxy has', async () => {
    expect(await callerSeen(await behind({ trusted: ['127.0.0.0/8'] }), lines)).toBe('192.0.2.7')
    expect(await callerSeen(await behind({ trusted: ['127.0.0.1', '192.0.2.0/24'] }), lines)).toBe(
      '198.51.100.1',
    )
  })

  test('is read out of the one header that is configured', async () => {
    expect(await callerSeen(await behind({ trusted: ['127.0.0.1'], header: 'forwarded' }), lines)).toBe(
      '203.0.113.9',
    )
  })

  test('spread over several header lines is one list', async () => {
    const door = await behind({ trusted: ['127.0.0.1'] })
    expect(await callerSeen(door, ['X-Forwarded-For: 198.51.100.1', 'X-Forwarded-For: 192.0.2.7'])).toBe(
      '192.0.2.7',
    )
  })
})

describe('TLS at a proxy', () => {
  const away = 'X-Forwarded-For: 192.0.2.7'

  test.each<[string, ProxyOptions, readonly string[], number]>([
    ['said by a trusted proxy', { trusted: ['127.0.0.1'] }, [away, 'X-Forwarded-Proto: https'], 101],
    ['said last', { trusted: ['127.0.0.1'] }, [away, 'X-Forwarded-Proto: http, HTTPS'], 101],
    ['said first, by the client', { trusted: ['127.0.0.1'] }, [away, 'X-Forwarded-Proto: https, http'], 403],
    ['not said', { trusted: ['127.0.0.1'] }, [away], 403],
    [
      'said by RFC 7239',
      { trusted: ['127.0.0.1'], header: 'forwarded' },
      ['Forwarded: for=192.0.2.7;proto=https'],
      101,
    ],
    [
      'said quoted',
      { trusted: ['127.0.0.1'], header: 'forwarded' },
      ['Forwarded: for=192.0.2.7; proto="https"'],
      101,
    ],
    [
      'said by an earlier hop',
      { trusted: ['127.0.0.1'], header: 'forwarded' },
      ['Forwarded: proto=https, for=192.0.2.7'],
      403,
    ],
    [
      'said inside of what a client has sent as its Host',
      { trusted: ['127.0.0.1'], header: 'forwarded' },
      ['Forwarded: for=192.0.2.7;proto=http;host="a,proto=https"'],
      403,
    ],
    ['said by nobody who is trusted', { trusted: ['192.0.2.1'] }, [away, 'X-Forwarded-Proto: https'], 101],
    [
      'said in the other header',
      { trusted: ['127.0.0.1'], header: 'forwarded' },
      ['Forwarded: for=192.0.2.7', 'X-Forwarded-Proto: https'],
      403,
    ],
  ])('%s decides whether a token may travel', async (_how, proxies, lines, status) => {
    const door = await behind(proxies)
    const { ticket: text } = await door.guard.issue.ticket({ subject: 'alice' })
    const raw = rawUpgrade(door, `/?ticket=${text}`, lines)
    await raw.heard(`HTTP/1.1 ${status}`)
  })

  test('said without any Forwarded header is not said', () => {
    const trust = trustProxies({ trusted: ['127.0.0.1'], header: 'forwarded' })
    expect(trust.saysSecure({ headers: {} } as never)).toBe(false)
  })
})

describe('the list of trusted proxies', () => {
  test.each([
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/x',
    '::1/129',
    '',
    '*',
    '10.0.0.0/1.5',
    '10.0.0.0/-1',
    '10.0.0.0/0x8',
    '10.0.0.0/1e1',
    '10.0.0.0/ 8',
    'true',
    'loopback',
    'private',
    '10.0.0.0/8,192.0.2.1',
  ])('does not take %j', (entry) => {
    expect(() => trustProxies({ trusted: [entry] })).toThrow('trusted')
  })

  test.each([
    ['10.0.0.0/8', '10.9.9.9', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['2001:db8::/32', '2001:db8::7', true],
    ['2001:db8::/32', '2001:db9::7', false],
    ['::1', '::1', true],
    ['unix', 'unix', true],
    ['127.0.0.1', 'unix', false],
    ['127.0.0.1', 'gone', false],
  ])('of %s has %s in it: %s', (entry, address, trusted) => {
    expect(trustProxies({ trusted: [entry] }).trusts(address)).toBe(trusted)
  })
})

describe('a unix socket', () => {
  test('is a proxy when it is trusted, and no loopback otherwise', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = (name: string): string => join(folder, name)
    const trusted = await behind({ trusted: ['unix'] }, { unix: path('a') })
    const { ticket: text } = await trusted.guard.issue.ticket({ subject: 'alice' })
    const lines = ['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: https']
    await rawRequest(path('a'), upgradeLines(`/?ticket=${text}`, lines)).heard('101')
    expect(trusted.journal.at(-1)?.remoteAddress).toBe('192.0.2.7')
    const stranger = await behind(undefined, { unix: path('b') })
    await rawRequest(path('b'), upgradeLines('/?ticket=cst_x', lines)).heard('HTTP/1.1 403')
    expect(stranger.journal.at(-1)).toMatchObject({ reason: 'insecure_transport', remoteAddress: 'unix' })
  })

  test('is not what a TCP peer becomes by vanishing', () => {
    const request = {
      url: '/',
      headers: { host: 'a' },
      socket: { remoteAddress: undefined, localAddress: '127.0.0.1', destroyed: false },
    }
    const trust = trustProxies({ trusted: ['unix'] })
    expect(handshakeOf(request as never, { trust, certificates: false })).toMatchObject({
      remoteAddress: 'gone',
      secure: false,
    })
    const destroyed = {
      ...request,
      socket: { remoteAddress: undefined, localAddress: undefined, destroyed: true },
    }
    expect(handshakeOf(destroyed as never, { trust, certificates: false })).toMatchObject({
      remoteAddress: 'gone',
    })
  })

  test('of a request without a target is no handshake', () => {
    const request = { url: undefined, headers: {}, socket: {} }
    expect(handshakeOf(request as never, { trust: undefined, certificates: false })).toBe(
      'protocol_violation',
    )
  })
})

let authority: Authority
let machine: KeyPairPem
let stranger: KeyPairPem
let proxyCard: KeyPairPem
let site: KeyPairPem

beforeAll(async () => {
  authority = await createAuthority('Test authority', 2)
  const other = await createAuthority('Another authority', 2)
  machine = await authority.issue({
    use: 'client',
    commonName: 'alice',
    days: 1,
    hosts: ['alice.example', 'a.example'],
  })
  proxyCard = await authority.issue({ use: 'client', commonName: 'proxy', days: 1 })
  stranger = await other.issue({ use: 'client', commonName: 'alice', days: 1 })
  site = await authority.issue({ use: 'server', commonName: 'localhost', days: 1, hosts: ['127.0.0.1'] })
})

const derOf = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, '')

const seen: PeerCertificate[] = []

/** A door for certificates of the test authority whose common name is a user's. */
const forMachines = (options: Partial<DoorOptions> = {}): Promise<Door> =>
  openGuarded({
    accept: [
      certificate({
        from: tls(),
        subjects: (card) => {
          seen.push(card)
          return card.commonName === 'alice' ? { subject: 'alice', roles: [] } : undefined
        },
      }),
      ticket({ from: query('ticket') }),
    ],
    ...options,
  })

const overTls = (): Partial<DoorOptions> => ({
  tls: {
    key: site.privateKey,
    cert: site.certificate,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: false,
  },
})

describe('a client certificate', () => {
  const client = (card?: KeyPairPem): object => ({
    ca: authority.certificate,
    ...(card === undefined ? {} : { cert: card.certificate, key: card.privateKey }),
  })

  test('of the authority lets in whom it names', async () => {
    const door = await forMachines(overTls())
    seen.length = 0
    const guest = await expectAccepted(door, call(door, client(machine)), 'alice')
    expect(guest.lease.grant.certificate).toBe(machine.fingerprint)
    expect(seen[0]).toMatchObject({
      fingerprint: machine.fingerprint,
      commonName: 'alice',
      trusted: true,
      alternativeNames: ['DNS:alice.example', 'DNS:a.example'],
    })
    expect(seen[0]?.notAfterMs).toBeGreaterThan(Date.now())
    expect(seen[0]?.notBeforeMs).toBeLessThan(Date.now())
  })

  test('of another authority does not', async () => {
    const door = await forMachines(overTls())
    await expectRefused(call(door, client(stranger)), 'invalid_credential')
  })

  test('needs no authority when its fingerprint is listed', async () => {
    const fingerprints = { [stranger.fingerprint]: { subject: 'sensor', roles: [] } }
    const accept = [certificate({ from: tls(), fingerprints })]
    const door = await openGuarded({ ...overTls(), accept })
    await expectAccepted(door, call(door, client(stranger)), 'sensor')
    await expectRefused(call(door, client(machine)), 'invalid_credential')
  })

  test('may be missing where something else is shown', async () => {
    const door = await forMachines(overTls())
    await expectRefused(call(door, client()), 'missing_credential')
    const { ticket: text } = await door.guard.issue.ticket({ subject: 'bob' })
    await expectAccepted(door, call(door, { ...client(), path: `/?ticket=${text}` }), 'bob')
  })

  test('of a page is judged only behind the Origin rule', async () => {
    const door = await forMachines(overTls())
    await expectRefused(call(door, { ...client(machine), page: 'https://evil.example' }), 'forbidden_origin')
    await expectAccepted(door, call(door, { ...client(machine), page: pageOrigin }), 'alice')
  })

  test('is not there on cleartext', async () => {
    await expectRefused(call(await forMachines()), 'missing_credential')
  })
})

/** What each family of proxies writes about a certificate. */
const families: Readonly<Record<string, (pem: string) => readonly string[]>> = {
  'client-cert': (pem) => [`Client-Cert: :${derOf(pem)}:`],
  envoy: (pem) => [`X-Forwarded-Client-Cert: Hash=ab;Cert="${encodeURIComponent(pem)}"`],
  nginx: (pem) => [`X-SSL-Client-Cert: ${encodeURIComponent(pem)}`, 'X-SSL-Client-Verify: SUCCESS'],
  apache: (pem) => [`SSL_CLIENT_CERT: ${pem.trim().replaceAll('\n', ' ')}`, 'SSL_CLIENT_VERIFY: SUCCESS'],
}
type Family = NonNullable<ProxyOptions['certificates']>['family']
const names = Object.keys(families) as Family[]
const shared = { header: 'X-Proxy-Secret', secret: 'only-the-proxy-knows' }
const proved = `X-Proxy-Secret: ${shared.secret}`
const trusting = (
  family: Family,
  proof: NonNullable<ProxyOptions['certificates']>['proof'] = shared,
): Partial<DoorOptions> => ({
  proxies: { trusted: ['127.0.0.1', 'unix'], certificates: { family, proof } },
})
const linesOf = (family: Family, pem: string): readonly string[] => families[family]?.(pem) ?? []

describe.each(names)('a certificate in the headers of %s', (family) => {
  test('lets in whom it names, from a proxy that proves itself; the proof is hidden afterwards', async () => {
    const door = await forMachines(trusting(family))
    const raw = rawUpgrade(door, '/', [...linesOf(family, machine.certificate), proved])
    await raw.heard('101')
    await until(() => door.guests.length > 0)
    expect(door.guests[0]?.lease.principal.id).toBe('alice')
    const request = door.guests[0]?.request
    expect(JSON.stringify([request?.headers, request?.rawHeaders, request?.headersDistinct])).not.toContain(
      shared.secret,
    )
  })

  test.each<[string, readonly string[]]>([
    ['without its proof', []],
    ['with a wrong proof', ['X-Proxy-Secret: guessed']],
    ['with an empty proof', ['X-Proxy-Secret: ']],
  ])('is refused from a proxy %s', async (_how, lines) => {
    const door = await forMachines(trusting(family))
    await rawUpgrade(door, '/', [...linesOf(family, machine.certificate), ...lines]).heard('HTTP/1.1 400')
    expect(door.guard.leases()).toEqual([])
  })

  test('is refused from a peer that is no proxy, even with the proof', async () => {
    const door = await forMachines({
      proxies: { trusted: ['192.0.2.1'], certificates: { family, proof: shared } },
    })
    await rawUpgrade(door, '/', [...linesOf(family, machine.certificate), proved]).heard('HTTP/1.1 400')
  })

  test('is refused where no proxy is configured, and where another family is', async () => {
    for (const options of [{}, trusting(names.find((one) => one !== family) ?? family)]) {
      const door = await forMachines(options)
      await rawUpgrade(door, '/', [...linesOf(family, machine.certificate), proved]).heard('HTTP/1.1 400')
    }
  })

  test('changes nothing at a door that takes no certificates', async () => {
    const door = await behind(trusting(family).proxies)
    const { ticket: text } = await door.guard.issue.ticket({ subject: 'bob' })
    await rawUpgrade(door, `/?ticket=${text}`, linesOf(family, machine.certificate)).heard('101')
    await until(() => door.guests[0]?.lease.principal.id === 'bob')
  })

  test('of an unknown subject is refused', async () => {
    const door = await forMachines(trusting(family))
    await rawUpgrade(door, '/', [...linesOf(family, proxyCard.certificate), proved]).heard('HTTP/1.1 401')
  })
})

describe('a certificate in headers', () => {
  test('that is none is refused', async () => {
    const door = await forMachines(trusting('client-cert'))
    await rawUpgrade(door, '/', ['Client-Cert: garbage', proved]).heard('HTTP/1.1 401')
    await rawUpgrade(door, '/', ['Client-Cert: :MAA=:', proved]).heard('HTTP/1.1 401')
  })

  test('whose verification has failed is refused', async () => {
    const door = await forMachines(trusting('nginx'))
    const [card = ''] = linesOf('nginx', machine.certificate)
    await rawUpgrade(door, '/', [card, 'X-SSL-Client-Verify: FAILED:expired', proved]).heard('HTTP/1.1 401')
  })

  test('may be missing from a proxy', async () => {
    const door = await forMachines(trusting('nginx'))
    await rawUpgrade(door, '/', [proved, 'X-SSL-Client-Verify: NONE']).heard('HTTP/1.1 401')
    expect(door.refusals()).toEqual(['missing_credential'])
  })

  test('is believed over a unix socket where that is the proof, and not over TCP', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 's')
    const door = await forMachines({ ...trusting('nginx', 'unix'), unix: path })
    await rawRequest(path, upgradeLines('/', linesOf('nginx', machine.certificate))).heard('101')
    await until(() => door.guests.length > 0)
    const overTcp = await forMachines(trusting('nginx', 'unix'))
    await rawUpgrade(overTcp, '/', linesOf('nginx', machine.certificate)).heard('HTTP/1.1 400')
  })

  test('is believed from a proxy that shows a certificate of its own where that is the proof', async () => {
    const door = await forMachines({ ...overTls(), ...trusting('nginx', 'mtls') })
    const answer = async (card?: KeyPairPem): Promise<string> => {
      const socket = connectTls({
        port: door.port,
        host: '127.0.0.1',
        ca: authority.certificate,
        ...(card === undefined ? {} : { cert: card.certificate, key: card.privateKey }),
      })
      onTestFinished(() => void socket.destroy())
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      socket.write([...upgradeLines('/', linesOf('nginx', machine.certificate)), '', ''].join('\r\n'))
      await until(() => text.includes('\r\n\r\n'))
      return text.slice(9, 12)
    }
    expect(await answer(proxyCard)).toBe('101')
    expect(await answer(stranger)).toBe('400')
    expect(await answer()).toBe('400')
    const cleartext = await forMachines(trusting('nginx', 'mtls'))
    await rawUpgrade(cleartext, '/', linesOf('nginx', machine.certificate)).heard('HTTP/1.1 400')
  })

  test('with a comma in one of its names has no name more by that', async () => {
    const door = await forMachines(trusting('client-cert'))
    seen.length = 0
    await rawUpgrade(door, '/', [`Client-Cert: :${derOf(commaCertificate)}:`, proved]).heard('HTTP/1.1')
    expect(seen[0]?.alternativeNames).toHaveLength(2)
    expect(seen[0]?.alternativeNames).not.toContain('email:admin@example.com')
    expect(seen[0]?.alternativeNames[1]).toBe('DNS:plain.example')
  })
})

test('a proxy without families of certificates vouches for none', () => {
  expect(trustProxies({ trusted: [] }).vouches({ headers: {}, socket: {} } as never)).toBe(false)
})
