import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allowsHost,
  allowsOrigin,
  compileHosts,
  compileOrigins,
  parseHost,
  parseOrigin,
} from '../../../packages/countersign/src/wire/origin.ts'
import { anyText, numRuns } from './support.ts'

const pieces = [
  'https',
  'http',
  '://',
  ':',
  '443',
  '8080',
  'app',
  '.',
  'example.com',
  'localhost',
  '[::1]',
  '127.0.0.1',
  '/',
  '@',
  '*',
  'null',
  ',',
]

describe('parseOrigin', () => {
  it.each([
    ['https://app.example.com', 'https', 'app.example.com', 443],
    ['http://localhost:8000', 'http', 'localhost', 8000],
    ['http://127.0.0.1', 'http', '127.0.0.1', 80],
    ['https://[2001:db8::1]:8443', 'https', '[2001:db8::1]', 8443],
    ['https://xn--bcher-kva.example', 'https', 'xn--bcher-kva.example', 443],
    ['https://a_b-.example', 'https', 'a_b-.example', 443],
    ['http://a:443', 'http', 'a', 443],
    ['chrome-extension://abcdefghijklmnop', 'chrome-extension', 'abcdefghijklmnop', undefined],
    ['a.b+c-1://host:80', 'a.b+c-1', 'host', 80],
  ])('reads %j', (text, scheme, host, port) => {
    expect(parseOrigin(text)).toEqual({ scheme, host, port, text })
  })

  it('knows the opaque origin', () => {
    expect(parseOrigin('null')).toBe('null')
  })

  it.each([
    '',
    'Null',
    'NULL',
    ' null',
    'example.com',
    '//example.com',
    '://example.com',
    'https:example.com',
    'https:/example.com',
    'https://',
    'https://:443',
    'https://a:',
    'https://a:0',
    'https://a:00',
    'https://a:0443',
    'https://a:65536',
    'https://a:999999',
    'https://a:8x',
    'https://a:443',
    'http://a:80',
    'wss://a:443',
    'https://a/',
    'https://a?b',
    'https://a#b',
    'https://u@a',
    'https://u:p@a',
    'HTTPS://a',
    'https://A',
    'https://a.',
    'https://a..b',
    'https://.a',
    'https://a b',
    ' https://a',
    'https://a\n',
    'https://a\u0000',
    'https://b\u00fccher.example',
    'https://a%2eb',
    'https://a, https://b',
    'https://a,https://b',
    'https://a https://b',
    'https://a`.evil',
    'https://*.a.b',
    'https://127.1',
    'https://127.0.0.01',
    'https://256.0.0.1',
    'https://1.2.3.4.5',
    'https://0x7f000001',
    'https://2130706433',
    'https://a.1',
    'https://a.0x',
    'https://a.0xf',
    'https://[::1',
    'https://::1',
    'https://[::1]x',
    'https://[::1]]',
    'https://[0:0::1]',
    'https://[::0001]',
    'https://[::ABCD]',
    'https://[::127.0.0.1]',
    'https://[fe80::1%25eth0]',
    'https://[]',
    '1http://a',
    '-a://b',
    'ht tp://a',
    'ht\u00e4p://a',
    `${'a'.repeat(65)}://b`,
    `https://${'a'.repeat(64)}`,
    `https://${'a.'.repeat(127)}a`,
    `https://${'a'.repeat(300)}`,
  ])('refuses %.60j', (text) => {
    expect(parseOrigin(text)).toBeUndefined()
  })

  it('accepts of http and https exactly what a URL serializes to', () => {
    fc.assert(
      fc.property(anyText(...pieces), (text) => {
        const origin = parseOrigin(text)
        if (origin === undefined || origin === 'null' || !/^https?$/.test(origin.scheme)) return
        expect(new URL(text).origin).toBe(text)
      }),
      { numRuns },
    )
  })

  it('reads the origin of any web URL', () => {
    fc.assert(
      fc.property(
        fc.webUrl({ authoritySettings: { withPort: true, withIPv4: true, withIPv6: true } }),
        (text) => {
          const { origin } = new URL(text)
          // No page lives on port 0, and browsers let odd characters into names.
          fc.pre(!/:0$|[^a-z0-9.:/[\]_-]/.test(origin))
          expect(parseOrigin(origin)).toMatchObject({ text: origin })
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('compileOrigins', () => {
  it.each([
    '*',
    'https://*',
    'https://*.com',
    'https://*.',
    'https://*.*.example.com',
    'https://a.*.example.com',
    'https://*a.example.com',
    'https://a*.example.com',
    '*.example.com',
    '://*.example.com',
    'https://*.127.0.0.1',
    'https://*.[::1]',
    'https://*.example.com/',
    'https://*.example.com:443',
    'https://example.com/',
    'https://example.com/path',
    'https://example.com:443',
    'https://Example.com',
    '^https://.*$',
    'https://(a|b).example.com',
    '/example/',
    '',
    'example.com',
    'https://*.a.b, https://*.c.d',
    'https://*.a.b://*.c.d',
    'null://*.a.b.',
  ])('throws on the misuse %j', (pattern) => {
    expect(() => compileOrigins([pattern])).toThrow(TypeError)
  })

  it('names the pattern that it cannot use', () => {
    expect(() => compileOrigins(['https://a.example', 'https://b/'])).toThrow('"https://b/"')
  })
})

describe('allowsOrigin', () => {
  const rules = compileOrigins([
    'https://app.example.com',
    'http://localhost:8000',
    'https://*.example.org',
    'https://*.example.org:8443',
    'http://*.localhost:3000',
    'a.b://*.x.y',
  ])

  it.each([
    'https://app.example.com',
    'http://localhost:8000',
    'https://a.example.org',
    'https://a-b.example.org:8443',
    'http://shop.localhost:3000',
    'a.b://w.x.y',
  ])('allows %j', (text) => {
    expect(allowsOrigin(rules, text)).toBe(true)
  })

  it.each([
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com.',
    'https://APP.example.com',
    'https://evil-app.example.com',
    'https://appAexample.com',
    'https://app.example.com.evil.net',
    'https://evil.net/app.example.com',
    'https://app.example.com@evil.net',
    'https://app.example.com`.evil.net',
    'https://example.org',
    'https://a.b.example.org',
    'https://.example.org',
    'https://aexample.org',
    'http://a.example.org',
    'https://a.example.org:443',
    'https://a.example.org:9000',
    'https://*.example.org',
    'https://a.example.org.evil.net',
    'https://evil.net, https://app.example.com',
    'https://a_.evil.net#.example.org',
    'null',
    '',
    'http://localhost',
    'http://localhost:8001',
    'https://localhost:8000',
    'a.b://x.y',
    'http://x',
    'https://127.0.0.1',
  ])('refuses %j', (text) => {
    expect(allowsOrigin(rules, text)).toBe(false)
  })

  it('allows the opaque origin only when it is named', () => {
    expect(allowsOrigin(compileOrigins(['null']), 'null')).toBe(true)
    expect(allowsOrigin(compileOrigins([]), 'null')).toBe(false)
    expect(allowsOrigin(compileOrigins(['https://*.a.b']), 'null')).toBe(false)
  })

  it('allows no address under a wildcard', () => {
    expect(
      allowsOrigin({ exact: new Set(), wildcard: new Set(['https://*.0.0.1']) }, 'https://127.0.0.1'),
    ).toBe(false)
  })

  it('answers for any text, and for a wildcard only one label before the rest', () => {
    fc.assert(
      fc.property(anyText(...pieces, '.example.org', 'https://a'), (text) => {
        if (!allowsOrigin(rules, text)) return
        expect(
          rules.exact.has(text) ||
            /^(?:https:\/\/[a-z0-9_-]+\.example\.org(?::8443)?|http:\/\/[a-z0-9_-]+\.localhost:3000|a\.b:\/\/[a-z0-9_-]+\.x\.y)$/.test(
              text,
            ),
        ).toBe(true)
      }),
      { numRuns },
    )
  })
})

describe('parseHost', () => {
  it.each([
    ['example.com', 'example.com'],
    ['EXAMPLE.com:8080', 'example.com:8080'],
    ['localhost', 'localhost'],
    ['127.0.0.1:80', '127.0.0.1:80'],
    ['[::1]:443', '[::1]:443'],
    ['[0:0::0001]', '[::1]'],
    ['[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
  ])('reads %j as %j', (text, host) => {
    expect(parseHost(text)).toBe(host)
  })

  it.each([
    '',
    ' ',
    'a b',
    'a:',
    ':80',
    'a:b',
    'a:0',
    'a:70000',
    'a:080',
    'u@a',
    'a/b',
    'a.',
    'a..b',
    '127.1',
    '::1',
    '[::1',
    '[::1]a',
    '[::1]:',
    '[x]',
    'a,b',
    'a\u0000',
    '\u00e9',
    'a%41',
    '*',
    '*.a.b',
    'a:80:80',
    'a'.repeat(64),
    'a'.repeat(400),
  ])('refuses %.40j', (text) => {
    expect(parseHost(text)).toBeUndefined()
  })

  it('answers a host or nothing for any text, and reads its own answer alike', () => {
    fc.assert(
      fc.property(anyText(...pieces), (text) => {
        const host = parseHost(text)
        expect(host && parseHost(host)).toBe(host)
      }),
      { numRuns },
    )
  })
})

describe('allowsHost', () => {
  const rules = compileHosts(['example.com', 'Example.net:8443', 'localhost:*', '[::1]:*'])

  it.each([
    'example.com',
    'EXAMPLE.COM',
    'example.net:8443',
    'localhost',
    'localhost:1',
    'LocalHost:8000',
    '[::1]:80',
    '[0::1]',
  ])('allows %j', (text) => {
    expect(allowsHost(rules, text)).toBe(true)
  })

  it.each([
    'example.com:8080',
    'example.net',
    'example.com.',
    'localhost.',
    'localhost6',
    'localhost:0',
    'evil.com',
    'localhost@evil.com',
    '',
    '127.0.0.1',
    'a b',
  ])('refuses %j', (text) => {
    expect(allowsHost(rules, text)).toBe(false)
  })

  it.each([
    '*',
    '*:80',
    '*.example.com',
    'example.com/',
    'http://example.com',
    '',
    ':*',
    'a:80:*',
    'a.',
    '/a/',
  ])('throws on the misuse %j', (literal) => {
    expect(() => compileHosts([literal])).toThrow(TypeError)
  })
})
