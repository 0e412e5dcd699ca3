import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import {
  parseConfig,
  readConfig,
  writeFinding,
  type Config,
} from '../../../packages/server/src/server/config.ts'
import {
  guardHosts,
  guardUrl,
  isLoopbackHost,
  listenersOf,
  siteOrigin,
} from '../../../packages/server/src/server/config-places.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-config-'))
const file = join(folder, 'countersign.yaml')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
for (const name of ['cert.pem', 'key.pem', 'ca.pem', 'secret.txt']) {
  writeFileSync(join(folder, name), 'a secret of some length\n', { mode: 0o600 })
}

/** Lines `level line path: message` of what is found in a text. */
function found(text: string): readonly string[] {
  const read = parseConfig(file, text)
  const findings = read.kind === 'wrong' ? read.findings : read.config.findings
  return findings.map(({ level, line, at, message }) => `${level} ${line} ${at}: ${message}`)
}

function configOf(text: string): Config {
  const read = parseConfig(file, text)
  if (read.kind === 'wrong') throw new Error(read.findings.map((one) => writeFinding(file, one)).join('\n'))
  return read.config
}

const small = `site:
  listen: localhost:8080
guards:
  - name: chat
    path: /socket
    accept:
      - method: ticket
`

/** The small configuration with lines put behind its guard's name. */
function withGuard(...lines: readonly string[]): string {
  return small.replace('    path: /socket\n', lines.map((line) => `    ${line}\n`).join(''))
}

/** A guard of WAMP, with lines put behind its path. */
function wampGuard(...lines: readonly string[]): string {
  const more = lines.map((line) => `    ${line}\n`).join('')
  return `site: { listen: 'localhost:8080', origins: ['https://app.example.com'] }
guards:
  - name: router
    protocol: wamp
    path: /ws
${more}`
}

const oneRealm = 'realms: [{ name: realm1, roles: [{ name: member, permissions: [] }] }]'

describe('a guard that speaks WAMP', () => {
  it('has realms and methods as Crossbar.io writes them, and the origins of the site', () => {
    const [guard] = configOf(wampGuard(oneRealm, 'auth: { wampcra: { type: x_accounts } }')).guards
    expect(guard).toMatchObject({
      protocol: 'wamp',
      accept: [],
      origins: ['http://localhost:8080', 'https://app.example.com'],
      wamp: { id: 'router', realms: [{ name: 'realm1' }], listeners: [{ kind: 'web' }] },
    })
    expect(Object(guard).auth).toBeUndefined()
    const own = configOf(wampGuard('origins: []', oneRealm, 'auth: { wampcra: { type: x_accounts } }'))
    expect(own.guards[0]?.origins).toEqual([])
  })

  it('replaces variables in secrets, and needs them', () => {
    const text = wampGuard(
      oneRealm,
      "auth: { wampcra: { type: static, users: { joe: { secret: '${JOE}', role: member } } } }",
    )
    const read = parseConfig(file, text, { JOE: 'a secret of some length' })
    expect(read).toMatchObject({ kind: 'config', config: { findings: [] } })
    expect(JSON.stringify(read)).toContain('a secret of some length')
    expect(found(text)).toEqual([
      'error 7 guards[0].auth.wampcra.users.joe.secret: needs the environment variable JOE, which is not set',
    ])
  })

  it.each([
    ['no auth', [oneRealm], 'guards[0].auth: is missing: it says who may join'],
    ['an empty auth', [oneRealm, 'auth: {}'], 'guards[0].auth: names no method'],
    ['no realm', ['realms: []', 'auth: { anonymous: {} }'], 'guards[0].realms: is empty'],
    ['no realms', ['auth: { anonymous: {} }'], 'guards[0].realms: is missing'],
    [
      'ways in of other guards',
      [oneRealm, 'accept: [{ method: ticket }]'],
      'guards[0].accept: means nothing',
    ],
    ['an application', [oneRealm, 'application: echo'], 'guards[0].application: means nothing'],
    [
      'origins in its options',
      [oneRealm, 'auth: { anonymous: {} }', "options: { allowed_origins: ['*'] }"],
      'guards[0].options.allowed_origins: is "origins" of the guard here',
    ],
    [
      'an unknown option',
      [oneRealm, 'auth: { anonymous: {} }', 'options: { allow: 1 }'],
      'guards[0].options.allow: unknown',
    ],
    [
      'an unknown method',
      [oneRealm, 'auth: { kerberos: { type: static } }'],
      'guards[0].auth.kerberos: unknown',
    ],
    [
      'a role of no realm',
      [oneRealm, 'auth: { anonymous: { role: guest } }'],
      'guards[0].auth.anonymous.role: is no role of any realm here',
    ],
    [
      'options without effect',
      [oneRealm, 'auth: { anonymous: { role: member } }', 'options: { fail_by_drop: true }'],
      'guards[0].options: without effect here: "fail_by_drop"',
    ],
    [
      'a module that is missing',
      [oneRealm, "auth: { ticket: { type: function, create: './none.mjs#create' } }"],
      'guards[0].auth: there is no file',
    ],
    [
      'an authenticator that nobody may register',
      [oneRealm, 'auth: { ticket: { type: dynamic, authenticator: com.example.auth } }'],
      'guards[0].realms: com.example.auth: no role may register it',
    ],
    [
      'a cookie and no page by its name',
      [
        "origins: ['null']",
        oneRealm,
        'auth: { cookie: {}, wampcra: { type: x_accounts } }',
        'cookie: { store: { type: memory } }',
      ],
      'must not allow the origin "null"',
    ],
  ])('with %s says so', (_name, lines, said) => {
    expect(found(wampGuard(...lines)).join('\n')).toContain(said)
  })

  it('is what keys of WAMP belong to', () => {
    expect(found(withGuard('path: /socket', oneRealm))).toEqual([
      'error 6 guards[0].realms: belongs to a guard with "protocol: wamp"',
    ])
    expect(found('site: { listen: localhost:8080 }\nguards: [{ name: chat, path: /socket }]\n')).toEqual([
      'error 2 guards[0].accept: is missing',
    ])
  })

  it('takes no path of the site, and none of another guard', () => {
    const auth = 'auth: { wampcra: { type: x_accounts } }'
    const other = '  - { name: chat, path: /ws, accept: [{ method: ticket }] }\n'
    expect(found(wampGuard(oneRealm, auth) + other).join()).toContain('is taken by router')
    expect(found(wampGuard(oneRealm, auth).replace('/ws', '/login')).join()).toContain(
      'is a page of the site',
    )
  })
})

describe('a configuration', () => {
  it('fills in every default', () => {
    const config = configOf(small)
    expect(config).toMatchObject({
      store: 'countersign.db',
      challengeSecrets: [],
      site: { listen: { host: 'localhost', port: 8080 } },
    })
    expect(config.guards[0]).toMatchObject({
      accept: [{ method: 'ticket', from: ['query', 'first-message'] }],
      application: 'echo',
      refusals: 'auto',
      dangerouslyAllowCleartext: false,
    })
    expect(config.findings).toEqual([])
  })

  it('may be JSON', () => {
    const json = {
      site: { listen: '[::1]:9000' },
      guards: [{ name: 'chat', path: '/s', accept: [{ method: 'ticket', from: 'bearer' }] }],
    }
    const config = configOf(JSON.stringify(json))
    expect(config.site.listen).toEqual({ host: '::1', port: 9000 })
    expect(config.guards[0]?.accept[0]).toEqual({ method: 'ticket', from: ['bearer'] })
  })

  it('finds its files from its own folder', () => {
    expect(configOf(small).path('a/b.pem')).toBe(join(folder, 'a/b.pem'))
  })

  it('tells where clients reach what', () => {
    const config = configOf(`${small}  - name: own
    listen: 127.0.0.1:9000
    accept: [{ method: api_key }]
`)
    expect(siteOrigin(config)).toBe('http://localhost:8080')
    expect(config.guards.map((guard) => guardUrl(config, guard))).toEqual([
      'ws://localhost:8080/socket',
      'ws://127.0.0.1:9000/',
    ])
    expect(config.guards.map((guard) => guardHosts(config, guard))).toEqual([
      ['localhost:8080'],
      ['127.0.0.1:9000'],
    ])
    expect(listenersOf(config).map(({ site, guards }) => [site, guards.length])).toEqual([
      [true, 1],
      [false, 1],
    ])
  })

  it('takes the outside address of a proxy from url', () => {
    const config = configOf(small.replace('8080\n', '8080\n  url: https://chat.example.com\n'))
    expect(siteOrigin(config)).toBe('https://chat.example.com')
    expect(config.guards.map((guard) => guardUrl(config, guard))).toEqual(['wss://chat.example.com/socket'])
  })
})

describe('what is wrong is said at its line', () => {
  it.each([
    [
      'an unknown key',
      `stoer: x\n${small}`,
      'error 1 stoer: unknown; is it misspelt? It would have had no effect',
    ],
    ['a missing key', small.replace('name: chat', 'refusals: auto'), 'error 4 guards[0].name: is missing'],
    ['another type', small.replace('chat', '[chat]'), 'error 4 guards[0].name: must be text'],
    [
      'an unknown method',
      small.replace('method: ticket', 'method: tikcet'),
      'error 7 guards[0].accept[0].method: must be one of ticket',
    ],
    [
      'a place of another method',
      small.replace('ticket', 'session\n        from: [query]'),
      'error 8 guards[0].accept[0].from[0]: must be one of cookie',
    ],
    ['no address', small.replace('localhost:8080', 'everywhere'), 'error 2 site.listen: not an address'],
    ['a port that is none', small.replace('8080', '80800'), 'error 2 site.listen: not an address'],
    [
      'an empty list',
      small.replace('\n      - method: ticket', ' []'),
      'error 6 guards[0].accept: is too small: at least 1 entries',
    ],
    [
      'a repeated key',
      `store: a.db\nstore: b.db\n${small}`,
      'error 2 : cannot be read as YAML: Map keys must be unique',
    ],
    ['no mapping', '- a\n- b\n', 'error 1 : must be a mapping of keys to values'],
    ['nothing', '', 'error 1 : must be a mapping of keys to values'],
  ])('%s', (_name, text, words) => {
    expect(found(text)).toEqual([expect.stringContaining(words)])
  })

  it('as file:line: path: message', () => {
    const read = parseConfig(
      'countersign.yaml',
      withGuard('origins:', '  - https://good.example.com', '  - https://bad.example.com/path'),
    )
    expect(
      read.kind === 'wrong' && read.findings.map((one) => writeFinding('countersign.yaml', one)),
    ).toEqual([
      expect.stringMatching(
        /^countersign\.yaml:4: guards\[0\]: localhost:8080\/ is taken by|^countersign\.yaml:4: guards\[0\]: \/ is a page of the site/,
      ),
      expect.stringMatching(/^countersign\.yaml:7: guards\[0\]\.origins\[1\]: not an origin/),
    ])
  })

  it('a bomb of aliases is not opened', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefg'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdef'[index]},`.repeat(10)}]`),
    ]
    expect(found(bomb.join('\n'))).toEqual(['error 1 : repeats too much by aliases (&, *)'])
  })

  it('a file of over 1 MiB is no configuration', () => {
    const big = join(folder, 'big.yaml')
    writeFileSync(big, `# ${'x'.repeat(1_048_577)}`)
    expect(readConfig(big)).toMatchObject({
      kind: 'wrong',
      findings: [{ message: 'is over 1 MiB: no configuration' }],
    })
  })

  it('whatever the text', () => {
    const runs = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000)
    const lines = fc.array(
      fc.constantFrom(
        ...small.split('\n'),
        'x: [',
        '- {',
        '    origins: 5',
        'tls: { cert: a }',
        '&a',
        '*a',
        '"',
      ),
    )
    const total = fc.property(
      fc.oneof(
        fc.string(),
        lines.map((some) => some.join('\n')),
      ),
      (text) => {
        const read = parseConfig(file, text)
        return (
          read.kind === 'config' || (read.findings.length > 0 && read.findings.every(({ line }) => line >= 1))
        )
      },
    )
    fc.assert(total, { numRuns: runs })
  })
})

describe('the rules beyond the shape', () => {
  const tls = 'tls: { cert: cert.pem, key: key.pem }'
  it.each([
    [
      'a cookie without origins',
      withGuard('path: /s').replace('ticket', 'session'),
      'error 7 guards[0].accept[0]: browsers send its cookie unasked',
    ],
    [
      'a certificate on the site’s address',
      withGuard('path: /s', 'origins: [https://a.example]').replace(
        'ticket',
        'certificate\n        authority: ca.pem',
      ),
      'needs a "listen" and a "tls" of its own',
    ],
    [
      'a certificate that nobody could show',
      withGuard('listen: localhost:9000', tls, 'origins: []').replace('ticket', 'certificate'),
      'needs an "authority" or "fingerprints"',
    ],
    ['TLS without an address', withGuard('path: /s', tls), 'belongs to an address of its own'],
    [
      'a missing file',
      withGuard('listen: localhost:9000', 'tls: { cert: cert.pem, key: nokey.pem }'),
      `there is no file ${join(folder, 'nokey.pem')}`,
    ],
    [
      'a frame on the site’s address',
      withGuard('path: /s', 'origins: []').replace('ticket', 'session\n        from: frame-cookie'),
      'frame-cookie needs a "listen" of its own',
    ],
    ['a page of the site as path', withGuard('path: /login'), '/login is a page of the site'],
    [
      'an issuer without keys',
      withGuard('path: /s').replace(
        'ticket',
        'jwt\n        issuer: https://id.example\n        algorithms: [ES256]',
      ),
      'guards[0].accept[0].jwks: is missing',
    ],
    [
      'keys without an issuer',
      withGuard('path: /s').replace('ticket', 'jwt\n        algorithms: [ES256]'),
      'is only for a foreign "issuer"',
    ],
    [
      'keys in the clear',
      withGuard('path: /s').replace(
        'ticket',
        'jwt\n        issuer: i\n        algorithms: [ES256]\n        jwks: http://id.example/k',
      ),
      'use https',
    ],
    ['hosts that are none', withGuard('path: /s', 'hosts: ["*.example.com"]'), 'not a host'],
    [
      'a proxy by name',
      `${small}proxies: { trusted: [proxy.example.com] }\n`,
      'error 8 proxies.trusted[0]: not an address',
    ],
    [
      'a folder that is not there',
      `store: no/where.db\n${small}`,
      `error 1 store: there is no folder ${join(folder, 'no')}`,
    ],
  ])('refuse %s', (_name, text, words) => {
    expect(found(text).filter((line) => line.startsWith('error'))).toEqual([expect.stringContaining(words)])
  })

  it('refuse two guards of one name, and two at one place', () => {
    const twice = `${small}  - name: chat\n    path: /socket\n    accept: [{ method: api_key }]\n`
    expect(found(twice)).toEqual([
      expect.stringContaining('error 8 guards[1].name: is taken by an earlier guard'),
      expect.stringContaining('error 8 guards[1]: localhost:8080/socket is taken by chat'),
    ])
  })

  describe('about cleartext beyond this machine', () => {
    const open = small.replace('localhost:8080', '0.0.0.0:8080')
    it('refuse it', () => {
      expect(found(open)).toEqual([
        expect.stringContaining('error 2 site.listen: 0.0.0.0:8080 would be cleartext beyond this machine'),
      ])
    })

    it.each([
      [
        'where a trusted proxy ends TLS',
        `${open}proxies: { trusted: [10.0.0.1] }\n`,
        'only the trusted proxy must reach it',
      ],
      [
        'where it is asked for by its dangerous name',
        open.replace('8080\n', '8080\n  dangerouslyAllowCleartext: true\n'),
        'whoever listens in can take credentials',
      ],
    ])('let it pass %s, with a warning', (_name, text, words) => {
      expect(configOf(text).findings).toEqual([
        expect.objectContaining({ level: 'warning', message: expect.stringContaining(words) }),
      ])
    })

    it('are content with TLS', () => {
      expect(found(open.replace('8080\n', '8080\n  tls: { cert: cert.pem, key: key.pem }\n'))).toEqual([])
    })

    it('know loopback', () => {
      expect(['localhost', '127.0.0.1', '127.9.9.9', '::1'].every(isLoopbackHost)).toBe(true)
      expect(
        ['0.0.0.0', '::', '10.0.0.1', 'localhost.example.com', '127.example.com'].some(isLoopbackHost),
      ).toBe(false)
    })
  })

  describe('about what is weak', () => {
    it.each([
      ['a secret in clear', '{ authid: a, secret: k3Jh8sLq0Zx7Vb2Nm4Pq }', ['stands in the file in clear']],
      [
        'a documented secret',
        '{ authid: a, secret: secret2 }',
        ['in clear', 'an example from documentation'],
      ],
      ['a short secret', '{ authid: a, secret: abc123 }', ['in clear', 'shorter than 16 characters']],
      [
        'few rounds',
        '{ authid: a, secretFile: secret.txt, salting: { salt: s, iterations: 99999, keylen: 32 } }',
        ['99999 rounds are few'],
      ],
      [
        'enough rounds',
        '{ authid: a, secretFile: secret.txt, salting: { salt: s, iterations: 100000, keylen: 32 } }',
        [],
      ],
    ])('warn of %s', (_name, secret, words) => {
      const warnings = configOf(`${small}challengeSecrets:\n  - ${secret}\n`).findings
      expect(warnings.map(({ message }) => message)).toEqual(words.map((one) => expect.stringContaining(one)))
      expect(warnings.every(({ line, level }) => line === 9 && level === 'warning')).toBe(true)
    })

    it('never repeat a secret', () => {
      expect(found(`${small}challengeSecrets:\n  - { authid: a, secret: hunter2 }\n`).join()).not.toContain(
        'hunter2',
      )
    })

    it('refuse none and two secrets, and a name that is taken', () => {
      const lines = found(
        `${small}challengeSecrets:\n  - { authid: a }\n  - { authid: a, secret: x, secretFile: secret.txt }\n`,
      )
      expect(lines.filter((line) => line.startsWith('error'))).toEqual([
        expect.stringContaining('error 9 challengeSecrets[0]: needs exactly one'),
        expect.stringContaining('error 10 challengeSecrets[1]: needs exactly one'),
        expect.stringContaining('error 10 challengeSecrets[1].authid: is taken'),
      ])
    })

    it.each([
      ['null', 'the origin "null"'],
      ['https://*.example.com', 'every subdomain is trusted'],
      ['http://example.com', 'a page that came in the clear'],
    ])('warn of the origin %s', (origin, words) => {
      const { findings } = configOf(withGuard('path: /s', `origins: ["${origin}"]`))
      expect(findings.map(({ message }) => message)).toEqual([expect.stringContaining(words)])
    })

    it('warn of keys that others can read', () => {
      chmodSync(join(folder, 'key.pem'), 0o644)
      const { findings } = configOf(withGuard('listen: localhost:9000', tls))
      chmodSync(join(folder, 'key.pem'), 0o600)
      expect(findings).toMatchObject([
        { at: 'guards[0].tls.key', message: expect.stringContaining('chmod 600') },
      ])
    })
  })
})
