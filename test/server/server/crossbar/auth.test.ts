import { describe, expect, it } from 'vitest'
import type { AuthNode } from '../../../../packages/server/src/server/crossbar/read.ts'
import {
  at,
  fixture,
  methodOf,
  nodeOf,
  read,
  said,
  websocket,
  websocketOf,
  withTransports,
  type Json,
} from './support.ts'

const secret = 'a-secret-of-some-length'
const variables = { NAME: 'value-of-a-variable', PART: 'part', EMPTY: '' }

/** What is said of an `auth` block on loopback. */
function saidOf(auth: unknown, members: Json = {}): readonly string[] {
  return said(read(withTransports(websocket({ auth, ...members })), variables))
}

function authOf(auth: unknown, members: Json = {}): AuthNode {
  return websocketOf(nodeOf(read(withTransports(websocket({ auth, ...members })), variables))).auth
}

function ticket(principal: Json, block: Json = {}): Json {
  return { ticket: { type: 'static', principals: { joe: principal }, ...block } }
}

function cra(user: Json): Json {
  return { wampcra: { type: 'static', users: { peter: { secret, role: 'frontend', ...user } } } }
}

describe('an auth block', () => {
  it('that is missing lets everyone in, silently on loopback alone', () => {
    const open = websocket({})
    const { auth: _, ...bare } = open
    const reading = read(withTransports(bare))
    expect(said(reading)).toEqual([])
    expect(websocketOf(nodeOf(reading)).auth).toMatchObject({
      open: true,
      methods: [{ method: 'anonymous', sources: [{ principals: [{ role: 'anonymous' }] }] }],
    })
    expect(said(read(withTransports({ ...bare, endpoint: { type: 'tcp', port: 80 } })))).toEqual([
      `warning ${at}.auth: is missing: EVERYONE WHO REACHES THIS TRANSPORT JOINS as role "anonymous"`,
    ])
  })

  it.each([
    ['nothing', {}, 'error .auth: names no method: nobody could join'],
    ['null', null, 'error .auth: must be a mapping of keys to values'],
    ['an unknown method', { kerberos: {} }, 'error .auth.kerberos: unknown: methods are anonymous, ticket'],
    [
      'a proxy’s method',
      { 'anonymous-proxy': { type: 'static' } },
      'error .auth.anonymous-proxy: cannot apply',
    ],
    ['a proxy’s method', { 'cryptosign-proxy': {} }, 'error .auth.cryptosign-proxy: cannot apply'],
    ['no type', { ticket: { principals: {} } }, 'error .auth.ticket.type: is missing'],
    [
      'an unknown type',
      { ticket: { type: 'ldap' } },
      'error .auth.ticket.type: must be one of static, dynamic',
    ],
    ['an empty list', { wampcra: [] }, 'error .auth.wampcra: is empty'],
    ['a text', { wampcra: 'static' }, 'error .auth.wampcra: must be a mapping of keys to values'],
    ['an unknown key', { ticket: { type: 'static', principals: {}, x: 1 } }, 'error .auth.ticket.x: unknown'],
    ['a wrong timeout', { x_hello_timeout: 1 }, 'error .auth.x_hello_timeout: must be a whole number'],
    [
      'accounts where none are',
      { anonymous: { type: 'x_accounts' } },
      'error .auth.anonymous.type: must be one of',
    ],
  ])('with %s is refused', (_, auth, message) => {
    expect(saidOf(auth).join('\n')).toContain(message.replace('.auth', `${at}.auth`))
  })

  it('has several sources under one method, in order', () => {
    const { auth, session } = everything()
    expect(methodOf(auth, 'wampcra').sources.map(({ kind }) => kind)).toEqual([
      'static',
      'dynamic',
      'accounts',
    ])
    expect(methodOf(auth, 'wampcra').sources[1]).toMatchObject({
      authenticator: 'com.example.authenticate',
      realm: 'realm2',
      role: undefined,
      dangerouslyPassHeaders: ['cookie'],
    })
    expect(session).toMatchObject({
      helloTimeoutMs: 3_000,
      errorUris: 'crossbar',
      authenticateTimeoutMs: 10_000,
    })
  })

  it('does not offer a second factor by itself', () => {
    const { auth } = everything()
    expect(methodOf(auth, 'scram').first).toBe(false)
    expect(methodOf(auth, 'wampcra')).toMatchObject({ first: true })
    expect(methodOf(auth, 'wampcra').sources[2]).toMatchObject({ secondFactor: 'scram' })
  })

  it.each([
    [
      ticket({ ticket: secret, role: 'frontend' }, { x_second_factor: 'wampcra' }),
      'names a method that is not configured',
    ],
    [ticket({ ticket: secret, role: 'frontend' }, { x_second_factor: 'ticket' }), 'cannot follow itself'],
    [
      ticket({ ticket: secret, role: 'frontend' }, { x_second_factor: 'cookie' }),
      'must be one of ticket, wampcra',
    ],
    [
      { wampcra: [{ type: 'x_accounts', x_second_factor: 'ticket' }] },
      'auth.wampcra[0].x_second_factor: names a method',
    ],
    [
      {
        ...ticket({ ticket: secret, role: 'frontend' }, { x_second_factor: 'wampcra' }),
        wampcra: { type: 'dynamic', authenticator: 'com.a', x_second_factor: 'ticket' },
      },
      'has second factors only',
    ],
  ])('refuses a second factor that cannot be one: %#', (auth, message) => {
    expect(saidOf(auth).join('\n')).toContain(message)
  })
})

describe('the environment', () => {
  it.each([
    ['${NAME}', 'value-of-a-variable'],
    ['a-${PART}-and-${PART}-of-it', 'a-part-and-part-of-it'],
    ['Xy$h2l-D', 'Xy$h2l-D'],
    ['$NAME-and-more-of-it', '$NAME-and-more-of-it'],
    ['$NAME', '$NAME'],
    ['a}{b$$-and-more-of-it', 'a}{b$$-and-more-of-it'],
  ])('gives the secret %s', (written, given) => {
    const [source] = methodOf(authOf(ticket({ ticket: written, role: 'frontend' })), 'ticket').sources
    expect(source).toMatchObject({ principals: [{ ticket: given }] })
  })

  it.each([
    ['${MISSING}', 'needs the environment variable MISSING, which is not set'],
    ['a-${EMPTY}-b', 'needs the environment variable EMPTY, which is empty'],
    ['${toString}', 'needs the environment variable toString, which is not set'],
    ['${NAME}'.repeat(300), 'is longer than 4096 characters'],
    ['${no name}', 'holds "${…}" around what is no name of a variable'],
  ])('refuses the secret %s', (written, message) => {
    expect(saidOf(ticket({ ticket: written, role: 'frontend' }))).toContain(
      `error ${at}.auth.ticket.principals.joe.ticket: ${message}`,
    )
  })
})

describe('principals of tickets', () => {
  it('have an authid of their own and the default role', () => {
    const { auth } = everything()
    expect(methodOf(auth, 'ticket').sources[0]).toMatchObject({
      principals: [
        { name: 'alice', authid: 'alice', role: 'frontend', ticket: 'a-ticket-of-some-length' },
        { name: 'bob', authid: 'robert', role: 'backend', ticket: 'token-part-token' },
      ],
    })
  })

  it.each([
    [{ ticket: secret }, 'error .role: is missing, and there is no "default-role"'],
    [{ role: 'frontend' }, 'error .ticket: is missing'],
    [{ ticket: 5, role: 'frontend' }, 'error .ticket: must be text'],
    [{ ticket: secret, role: 'other' }, 'warning .role: is no role of any realm here'],
    [{ ticket: 'short', role: 'frontend' }, 'warning .ticket: is shorter than 16 bytes'],
    [{ ticket: 'secret123', role: 'frontend' }, 'warning .ticket: is an example from documentation'],
    [{ ticket: secret, role: 'frontend', realm: 'a' }, 'error .realm: unknown'],
  ])('are judged: %j', (principal, message) => {
    const [level = '', rest = ''] = message.split(' .')
    expect(saidOf(ticket(principal)).join('\n')).toContain(
      `${level} ${at}.auth.ticket.principals.joe.${rest}`,
    )
  })

  it('are warned about on a transport without TLS that others reach', () => {
    const endpoint = { type: 'tcp', port: 8080 }
    expect(saidOf(ticket({ ticket: secret, role: 'frontend' }), { endpoint })).toEqual([
      `warning ${at}.auth.ticket: lets tickets travel in clear: the endpoint has no "tls"`,
    ])
  })
})

describe('users of wampcra', () => {
  it('with a salt alone are salted as older releases did', () => {
    const [source] = methodOf(authOf(cra({ salt: 'salt' })), 'wampcra').sources
    expect(source).toMatchObject({
      principals: [{ salting: { salt: 'salt', iterations: 1_000, keylen: 32 } }],
    })
    expect(saidOf(cra({ salt: 'salt' })).join('\n')).toContain(
      `users.peter.keylen: is missing: 32 is assumed, as older releases did; newer ones ignore the salt`,
    )
  })

  it.each([
    [{ salt: 's', keylen: '16' }, 'error .keylen: must be a whole number'],
    [{ salt: 's', keylen: 8 }, 'error .keylen: must be a whole number, at least 16'],
    [{ salt: 's', iterations: 0 }, 'error .iterations: must be a whole number'],
    [{ salt: 's', iterations: 100 }, 'warning .iterations: is few'],
    [{ iterations: 100 }, 'warning .iterations: has no effect without "salt"'],
  ])('are judged: %j', (user, message) => {
    const [level = '', rest = ''] = message.split(' .')
    expect(saidOf(cra(user)).join('\n')).toContain(`${level} ${at}.auth.wampcra.users.peter.${rest}`)
  })
})

describe('other principals', () => {
  it('of scram keep what verifies a password', () => {
    expect(methodOf(everything().auth, 'scram').sources[0]).toMatchObject({
      principals: [{ name: 'dave', kdf: 'argon2id-13', iterations: 4_096, memory: 512 }],
    })
  })

  const key = 'AB'.repeat(32)
  const scram = {
    kdf: 'pbkdf2',
    iterations: 200_000,
    salt: '00'.repeat(16),
    'stored-key': key,
    'server-key': key,
  }
  const principals = (method: string, member: Json): Json => ({
    [method]: { type: 'static', principals: { a: { role: 'frontend', ...member } } },
  })

  it('are read in lower case, colons or not', () => {
    const auth = authOf({
      ...principals('cryptosign', { authorized_keys: [key] }),
      ...principals('scram', scram),
    })
    const hex = key.toLowerCase()
    expect(methodOf(auth, 'cryptosign').sources[0]).toMatchObject({
      principals: [{ authorizedKeys: [hex], realm: undefined }],
    })
    expect(methodOf(auth, 'scram').sources[0]).toMatchObject({ principals: [{ storedKey: hex, memory: 0 }] })
  })

  it.each([
    [principals('scram', { ...scram, kdf: 'md5' }), 'error .scram.principals.a.kdf: must be one of'],
    [principals('scram', { ...scram, kdf: 'argon2id-13' }), 'error .scram.principals.a.memory: must be'],
    [principals('scram', { ...scram, iterations: 4_096 }), 'warning .scram.principals.a.iterations: is few'],
    [principals('scram', { ...scram, salt: 'zz' }), 'error .scram.principals.a.salt: must be 8 to 64 bytes'],
    [
      principals('cryptosign', { authorized_keys: ['ab'] }),
      'error .cryptosign.principals.a.authorized_keys[0]: must be 32',
    ],
    [principals('cryptosign', {}), 'error .cryptosign.principals.a.authorized_keys: is missing'],
    [{ cryptosign: { type: 'static', trustroots: {} } }, 'error .cryptosign.trustroots: cannot apply'],
    [principals('tls', {}), 'error .tls.principals.a.certificate-sha1: or "x_certificate_sha256"'],
    [principals('tls', { x_certificate_sha256: key }), 'error .tls: needs "ca_certificates"'],
    [{ anonymous: { realm: 'nowhere' } }, 'warning .anonymous.realm: is no realm here'],
    [
      { anonymous: { type: 'function', create: './a.mjs' } },
      'error .anonymous.type: must be one of static, dynamic',
    ],
  ])('are judged: %#', (auth, message) => {
    const [level = '', rest = ''] = message.split(' .')
    expect(saidOf(auth).join('\n')).toContain(`${level} ${at}.auth.${rest}`)
  })

  it('of anonymous clients have the authid that is given', () => {
    const auth = authOf({ anonymous: { type: 'static', role: 'frontend', authid: 'guest', realm: 'realm1' } })
    expect(methodOf(auth, 'anonymous').sources[0]).toMatchObject({
      principals: [{ role: 'frontend', authid: 'guest', realm: 'realm1' }],
    })
  })
})

describe('dynamic and function sources', () => {
  it.each([
    [{ type: 'dynamic' }, 'error .authenticator: is missing'],
    [{ type: 'dynamic', authenticator: 'no uri' }, 'error .authenticator: is no URI'],
    [
      { type: 'dynamic', authenticator: 'a.b', 'authenticator-realm': 'x' },
      'warning .authenticator-realm: is no realm',
    ],
    [
      { type: 'dynamic', authenticator: 'a.b', x_dangerously_pass_headers: ['a b'] },
      'error .x_dangerously_pass_headers[0]',
    ],
    [{ type: 'function' }, 'error .create: is missing'],
    [{ type: 'function', create: 'module.create' }, 'error .create: cannot apply: functions of Python'],
    [{ type: 'function', create: 'https://a.example/auth.mjs' }, 'error .create: is no module'],
    [{ type: 'function', create: './auth.mjs#a#b' }, 'error .create: is no module'],
    [
      { type: 'function', create: './a.mjs', expose_controller: true },
      'warning .expose_controller: cannot apply',
    ],
  ])('are judged: %j', (block, message) => {
    const [level = '', rest = ''] = message.split(' .')
    expect(saidOf({ wampcra: block }).join('\n')).toContain(`${level} ${at}.auth.wampcra.${rest}`)
  })

  it.each([
    ['./auth.mjs#create', '/srv/node/.crossbar/auth.mjs', 'create'],
    ['auth.ts', '/srv/node/.crossbar/auth.ts', 'default'],
    ['auth.mjs#create', '/srv/node/.crossbar/auth.mjs', 'create'],
    ['/srv/auth.cjs', '/srv/auth.cjs', 'default'],
    ['@acme/auth#create', '@acme/auth', 'create'],
    ['@acme/auth/create.js#create', '@acme/auth/create.js', 'create'],
  ])('find the module of %s', (create, module, exportName) => {
    const auth = authOf({ ticket: { type: 'function', create, config: { a: 1 } } })
    expect(methodOf(auth, 'ticket').sources[0]).toMatchObject({ module, exportName, config: { a: 1 } })
  })
})

describe('cookies', () => {
  const options = { allowed_origins: ['https://app.example.com'] }
  const auth = { cookie: {}, anonymous: { type: 'static', role: 'frontend' } }

  it('authenticate where they are kept, their origins are listed and another method begins', () => {
    const node = nodeOf(read(withTransports(websocket({ auth, options, cookie: {} }))))
    expect(websocketOf(node).cookie).toEqual({
      name: 'cbtid',
      length: 24,
      maxAgeS: 604_800,
      secure: false,
      httpOnly: true,
      sameSite: 'Lax',
      store: { kind: 'memory' },
    })
    expect(websocketOf(node).options).toMatchObject({ allowNullOrigin: false })
  })

  it.each([
    [{ auth, cookie: {} }, 'error .options.allowed_origins: must list origins'],
    [
      { auth, cookie: {}, options: { allowed_origins: ['*'] } },
      'error .options.allowed_origins: must list origins',
    ],
    [
      { auth, cookie: {}, options: { allowed_origins: ['null'] } },
      'error .options.allowed_origins: must not allow',
    ],
    [
      { auth, cookie: {}, options: { ...options, allow_null_origin: true } },
      'error .options.allow_null_origin: must not',
    ],
    [{ auth, options }, 'error .auth.cookie: needs the block "cookie"'],
    [{ auth: { cookie: {} }, options, cookie: {} }, 'error .auth.cookie: needs another method'],
    [{ cookie: { name: 'No' } }, 'error .cookie.name: must be lower-case'],
    [{ cookie: { length: 5 } }, 'error .cookie.length: must be a whole number, at least 6'],
    [{ cookie: { length: 8 } }, 'warning .cookie.length: is short'],
    [{ cookie: { http_strict: false } }, 'warning .cookie.http_strict: false has no effect'],
    [
      {
        endpoint: { type: 'tcp', interface: 'localhost', port: 1, tls: { key: 'k', certificate: 'c' } },
        cookie: { secure: false },
      },
      'warning .cookie.secure: lets the cookie travel without TLS',
    ],
    [{ cookie: { same_site: 'None' } }, 'error .cookie.same_site: needs "secure"'],
    [
      { cookie: { store: { type: 'redis' } } },
      'error .cookie.store.type: must be one of memory, file, database',
    ],
    [{ cookie: { store: { type: 'file' } } }, 'error .cookie.store.filename: is missing'],
  ])('are judged: %j', (members, message) => {
    const [level = '', rest = ''] = message.split(' .')
    expect(said(read(withTransports(websocket(members)))).join('\n')).toContain(`${level} ${at}.${rest}`)
  })

  it('are kept in a database as well', () => {
    const store = { type: 'database', path: 'cookies', readonly: true }
    expect(websocketOf(nodeOf(read(withTransports(websocket({ cookie: { store } }))))).cookie?.store).toEqual(
      {
        kind: 'database',
        path: '/srv/node/.crossbar/cookies',
        maxBytes: 1_048_576,
        readOnly: true,
        sync: true,
        purgeOnStartup: false,
      },
    )
  })
})

/** The WebSocket of the largest fixture. */
function everything(): ReturnType<typeof websocketOf> {
  const environment = { PORT: '9443', ALICE: 'a-ticket-of-some-length', BOB: 'part' }
  const [listener] = nodeOf(fixture('everything.yaml', environment)).routers[0]?.listeners ?? []
  const service = listener?.kind === 'universal' ? listener.websocket[0]?.service : undefined
  if (service === undefined) throw new Error('there is no universal transport')
  return service
}
