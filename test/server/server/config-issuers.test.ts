import { describe, expect, test } from 'vitest'
import { explainIssuer } from '../../../packages/server/src/cli/check-words.ts'
import { parseConfig, type Config } from '../../../packages/server/src/server/config.ts'

/** A configuration whose guard takes tokens of the issuer, with more lines about the issuer. */
function withIssuer(...lines: readonly string[]): string {
  return `site:
  listen: localhost:8080
guards:
  - name: chat
    path: /socket
    accept:
      - { method: jwt, issuer: https://id.example.com, jwks: https://id.example.com/jwks, algorithms: [ES256] }
issuers:
${lines.map((line) => `  ${line}\n`).join('')}`
}

const small = [
  '- issuer: https://id.example.com',
  '  jwks: https://id.example.com/jwks',
  '  algorithms: [ES256]',
  '  audience: chat-client',
]

function found(text: string): readonly string[] {
  const read = parseConfig('/tmp/countersign.yaml', text)
  const findings = read.kind === 'wrong' ? read.findings : read.config.findings
  return findings.map(({ level, line, at, message }) => `${level} ${line} ${at}: ${message}`)
}

function configOf(text: string): Config {
  const read = parseConfig('/tmp/countersign.yaml', text)
  if (read.kind === 'wrong') throw new Error(JSON.stringify(read.findings))
  return read.config
}

describe('an issuer of events', () => {
  test('needs little, and is strict where nothing else is said', () => {
    expect(configOf(withIssuer(...small)).issuers).toEqual([
      {
        issuer: 'https://id.example.com',
        jwks: 'https://id.example.com/jwks',
        algorithms: ['ES256'],
        audience: ['chat-client'],
        logoutEnds: 'session',
        subjectIssuers: [],
        maxAgeMs: 120_000,
        dangerouslyAllowUntyped: false,
        dangerouslyAllowWithoutExpiry: false,
      },
    ])
    expect(found(withIssuer(...small))).toEqual([])
  })

  test.each<[string, readonly string[], string]>([
    ['its keys in the clear', small.with(1, '  jwks: http://id.example.com/jwks'), 'use https'],
    ['no audience', small.slice(0, 3), 'audience: is missing'],
    ['a shared secret’s algorithm', small.with(2, '  algorithms: [HS256]'), 'must be one of'],
    ['a blank in its name', small.with(0, '- issuer: an issuer'), 'visible ASCII'],
    ['a window of a month', [...small, '  maxAgeMs: 2678400000'], 'is too big'],
    ['a misspelt key', [...small, '  dangerouslyAllowUntypd: true'], 'is it misspelt'],
    ['a second entry of its name', [...small, ...small], 'is listed already'],
    ['the site’s own name', small.with(0, '- issuer: http://localhost:8080'), 'is the site itself'],
  ])('is refused for %s', (_name, lines, words) => {
    const errors = found(withIssuer(...lines)).filter((one) => one.startsWith('error'))
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(words)
  })

  test('is warned of where it is trusted more, and where nothing rests on its tokens', () => {
    const trusting = ['  dangerouslyAllowUntyped: true', '  dangerouslyAllowWithoutExpiry: true']
    expect(found(withIssuer(...small, ...trusting))).toEqual([
      'warning 13 issuers[0].dangerouslyAllowUntyped: logout tokens are told from its other tokens by their claims alone',
      'warning 14 issuers[0].dangerouslyAllowWithoutExpiry: logout tokens are bounded by their age alone',
    ])
    const other = small.with(0, '- issuer: https://other.example.com')
    expect(found(withIssuer(...other))).toEqual([
      'warning 9 issuers[0].issuer: no guard takes tokens of this issuer: its events end nothing here',
    ])
    expect(found(withIssuer(...other, '  subjectIssuers: [https://id.example.com]'))).toEqual([])
  })

  test('is explained', () => {
    const [one] = configOf(withIssuer(...small, '  logoutEnds: subject')).issuers
    if (one === undefined) throw new Error('no issuer')
    expect(explainIssuer(one)).toBe(
      'https://id.example.com ends what rests on tokens of https://id.example.com, by logout tokens and security events for "chat-client" (ES256) that are at most 2m old; a logout ends all that is older of its subject',
    )
  })
})
