import { describe, expect, it } from 'vitest'
import {
  findForwardedCertificate,
  otherFamilies,
  parseApacheCertificate,
  parseClientCert,
  parseForwardedClientCert,
  parseNginxCertificate,
} from '../../../packages/countersign/src/wire/client-certificate.ts'
import { anyText, expectTotal } from './support.ts'

/** The shape of a certificate, which is all that the wire looks at. */
const der = Uint8Array.from([
  0x30,
  0x82,
  0x01,
  0x00,
  ...Array.from({ length: 256 }, (_, index) => (index * 31) & 255),
])
const base64 = Buffer.from(der).toString('base64')
const lines = base64.match(/.{1,64}/g)?.join('\n') ?? ''
const pem = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
const escaped = encodeURIComponent(pem)
const folded = pem.replaceAll('\n', ' ')
const found = { kind: 'found', value: { der } }
const big = Buffer.concat([Buffer.from([0x30, 0x82, 0x40, 0x00]), Buffer.alloc(16_384)])
const pieces = [
  'Cert=',
  '"',
  ';',
  ',',
  escaped,
  ':',
  base64,
  'Hash=',
  'abc',
  'Subject="CN=a,O=b"',
  '\\',
  pem,
  'By=',
  '%0A',
  '-----BEGIN CERTIFICATE-----',
]

describe('Client-Cert (RFC 9440)', () => {
  it('reads one byte sequence', () => {
    expect(parseClientCert(`:${base64}:`)).toEqual(found)
    expect(parseClientCert(` :${base64}: `)).toEqual(found)
  })

  it.each([undefined, '', ' '])('finds nothing in %j', (value) => {
    expect(parseClientCert(value).kind).toBe('absent')
  })

  it.each([
    base64,
    ':',
    '::',
    `:${base64}`,
    `:${base64}:;a=1`,
    `:${base64}:, :${base64}:`,
    `:${base64.slice(0, -4)}:`,
    `:${base64} :`,
    ':AAAA:',
    `:${big.toString('base64')}:`,
    `:${'A'.repeat(70_000)}:`,
  ])('refuses %.20j', (value) => {
    expect(parseClientCert(value).kind).toBe('malformed')
  })

  it('answers one of three kinds for any text', () => {
    expectTotal(parseClientCert, anyText(...pieces))
  })
})

describe('X-Forwarded-Client-Cert (Envoy)', () => {
  it.each([
    `Cert="${escaped}"`,
    `cert=${escaped}`,
    `By=spiffe://a/b;Hash=${'0'.repeat(64)};Cert="${escaped}";Subject="CN=a,O=\\"b;c\\"";URI=;DNS=a.example`,
    `Hash=00 ; Cert=${escaped}`,
  ])('reads %.40j', (value) => {
    expect(parseForwardedClientCert(value)).toEqual(found)
  })

  it.each([undefined, '', ' '])('finds nothing in %j', (value) => {
    expect(parseForwardedClientCert(value).kind).toBe('absent')
  })

  it.each([
    ['Hash=00', 'element without certificate'],
    [`Cert="${escaped}",Cert="${escaped}"`, 'certificate element'],
    [`Cert=${escaped},By=a`, 'certificate element'],
    [`Cert="${escaped}";Cert="${escaped}"`, 'repeated certificate'],
    [`Cert="${escaped}`, 'certificate element'],
    [`Cert="${escaped}"x`, 'certificate element'],
    [`Cert=a"b`, 'certificate element'],
    [`Cert="${escaped}";`, 'certificate element'],
    [escaped, 'certificate element'],
    ['Cert', 'certificate element'],
    ['=a', 'certificate element'],
    ['a b=c', 'certificate element'],
    ['Cert=', 'certificate encoding'],
    ['Cert=%zz', 'certificate encoding'],
    [`Cert="${'a'.repeat(70_000)}"`, 'certificate too long'],
  ])('refuses %.40j: %s', (value, why) => {
    expect(parseForwardedClientCert(value)).toEqual({ kind: 'malformed', why })
  })

  it('answers one of three kinds for any text', () => {
    expectTotal(parseForwardedClientCert, anyText(...pieces))
  })
})

describe.each([
  ['nginx', parseNginxCertificate, escaped],
  ['Apache', parseApacheCertificate, folded],
])('the header pair of %s', (_, parse, certificate) => {
  it('reads a certificate that was verified', () => {
    expect(parse(certificate, 'SUCCESS')).toEqual(found)
  })

  it.each([
    [undefined, undefined],
    ['', ''],
    ['(null)', 'NONE'],
    [undefined, 'NONE'],
  ])('finds nothing in %j, %j', (shown, verify) => {
    expect(parse(shown, verify)).toEqual({ kind: 'absent' })
  })

  it.each([undefined, '', 'NONE', 'success', 'SUCCESS, SUCCESS', 'SUCCESS ', 'FAILED:expired', 'GENEROUS'])(
    'refuses one that says %j',
    (verify) => {
      expect(parse(certificate, verify)).toEqual({ kind: 'malformed', why: 'certificate not verified' })
    },
  )

  it.each(['SUCCESS', 'FAILED:expired'])('refuses %s without a certificate', (verify) => {
    expect(parse(undefined, verify).kind).toBe('malformed')
  })

  it.each([
    'a',
    `${certificate}${certificate}`,
    'a'.repeat(70_000),
    `x${certificate}`,
    certificate.slice(0, -30),
    base64,
  ])('refuses %.20j', (shown) => {
    expect(parse(shown, 'SUCCESS').kind).toBe('malformed')
  })

  it('answers one of three kinds for any text', () => {
    expectTotal((text) => parse(text, 'SUCCESS'), anyText(...pieces))
    expectTotal((text) => parse(certificate, text), anyText('SUCCESS', 'NONE', 'FAILED', ','))
  })
})

describe('PEM', () => {
  it.each([
    ['a private key', pem.replaceAll('CERTIFICATE', 'PRIVATE KEY')],
    ['more than one DER value', pem.replace(lines, Buffer.concat([der, der]).toString('base64'))],
    ['no SEQUENCE', pem.replace(lines, 'AAAA')],
    ['nothing', pem.replace(lines, '')],
    ['a length of no bytes', pem.replace(lines, 'MIA=')],
    ['a length of four bytes', pem.replace(lines, 'MIQAAAAA')],
    ['a length cut short', pem.replace(lines, 'MIIB')],
    ['a length longer than needed', pem.replace(lines, 'MIEA')],
    [
      'a length of two bytes that fits one',
      pem.replace(
        lines,
        Buffer.concat([Buffer.from([0x30, 0x82, 0x00, 0x80]), Buffer.alloc(128)]).toString('base64'),
      ),
    ],
    ['one byte', pem.replace(lines, 'MA==')],
    ['too many bytes', pem.replace(lines, big.toString('base64'))],
    ['far too many characters', pem.replace(lines, 'A'.repeat(60_000))],
  ])('refuses %s', (_, text) => {
    expect(parseApacheCertificate(text, 'SUCCESS').kind).toBe('malformed')
  })

  it('reads short DER too', () => {
    expect(parseApacheCertificate(pem.replace(lines, 'MAA='), 'SUCCESS').kind).toBe('found')
    const middle = Buffer.concat([Buffer.from([0x30, 0x81, 0x80]), Buffer.alloc(128)]).toString('base64')
    expect(parseApacheCertificate(pem.replace(lines, middle), 'SUCCESS').kind).toBe('found')
  })
})

describe('families', () => {
  it.each([
    ['client-cert', { 'client-cert': `:${base64}:` }],
    ['envoy', { 'x-forwarded-client-cert': `Cert="${escaped}"` }],
    ['nginx', { 'x-ssl-client-cert': escaped, 'x-ssl-client-verify': 'SUCCESS' }],
    ['apache', { ssl_client_cert: folded, ssl_client_verify: 'SUCCESS' }],
  ] as const)('finds the certificate of %s, and no other family', (family, headers) => {
    expect(findForwardedCertificate(headers, family)).toEqual(found)
    expect(otherFamilies({ host: 'a', cookie: 'b', ...headers }, family)).toBe(false)
    expect(otherFamilies(headers, undefined)).toBe(true)
    for (const other of ['client-cert', 'envoy', 'nginx', 'apache'] as const) {
      if (other === family) continue
      expect(otherFamilies(headers, other)).toBe(true)
      expect(findForwardedCertificate(headers, other).kind).toBe('absent')
    }
  })

  it('takes a header that came twice for no certificate', () => {
    const value = `:${base64}:`
    expect(findForwardedCertificate({ 'client-cert': [value, value] }, 'client-cert').kind).toBe('malformed')
    expect(findForwardedCertificate({ 'client-cert': [value] }, 'client-cert')).toEqual(found)
  })

  it.each([
    ['x_ssl_client_cert', 'nginx'],
    ['ssl-client-cert', 'apache'],
    ['Client_Cert', 'client-cert'],
    ['X-SSL-Client-S-DN', 'apache'],
    ['client-cert-chain', 'envoy'],
    ['x_forwarded-client_cert', 'envoy'],
  ] as const)('notices %s beside %s', (name, configured) => {
    expect(otherFamilies({ [name]: 'a' }, configured)).toBe(true)
  })

  it('minds no other header', () => {
    expect(otherFamilies({ host: 'a', 'x-forwarded-for': 'b', 'x-client-certainty': 'c' }, undefined)).toBe(
      false,
    )
  })
})
