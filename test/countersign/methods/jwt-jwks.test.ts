import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MisuseError, OutageError } from '../../../packages/countersign/src/core/errors.ts'
import type { Method } from '../../../packages/countersign/src/core/method.ts'
import { jwks, type JwksOptions } from '../../../packages/countersign/src/methods/jwt.ts'
import {
  accepted,
  invalid,
  judge,
  judgeAtOnce,
  jwtWith,
  now,
  pairOf,
  signed,
  type Pair,
} from './jwt-support.ts'

const minute = 60_000

let one: Pair
let two: Pair
let server: Server
let url: string
/** How the issuer answers, and what it was asked. */
let answer: (request: IncomingMessage, response: ServerResponse) => void
let asked: string[]

beforeAll(async () => {
  one = await pairOf('Ed25519', 'one')
  two = await pairOf('Ed25519', 'two')
})

beforeEach(async () => {
  asked = []
  answer = publishing(one)
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/jwks.json`
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function publishing(...pairs: readonly Pair[]): typeof answer {
  return (_request, response) => response.end(JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) }))
}

function failing(status: number): typeof answer {
  return (_request, response) => response.writeHead(status).end('{"keys":[]}')
}

/** A method without memory for tokens, so that every token asks for its key. */
function method(options: Partial<JwksOptions> = {}, cacheSize = 0): Method {
  return jwtWith(one, { keys: jwks({ url, ...options }), cacheSize })
}

describe('a remote key set', () => {
  test('is fetched once for a hundred tokens at the same time', async () => {
    const remote = method()
    const tokens = await Promise.all(
      Array.from({ length: 100 }, (_, jti) => signed(one, { claims: { jti: String(jti) } })),
    )
    const verdicts = await Promise.all(tokens.map((token) => judge(remote, token)))
    expect(verdicts.every(({ kind }) => kind === 'accept')).toBe(true)
    expect(asked).toEqual(['/jwks.json'])
  })

  test('is used without asking again for ten minutes', async () => {
    const remote = method()
    const token = await signed(one)
    await accepted(remote, token)
    await accepted(remote, token, { at: now + 10 * minute - 1 })
    expect(asked).toHaveLength(1)
    const later = await signed(one, { claims: { exp: now / 1000 + 3600 } })
    await accepted(remote, later, { at: now + 10 * minute })
    expect(asked).toHaveLength(2)
  })

  test('is fetched again for a key that it does not hold, but not before the cooldown', async () => {
    const remote = method()
    await accepted(remote, await signed(one))
    answer = publishing(one, two)
    const token = await signed(two)
    expect(await judge(remote, token, { at: now + 29_999 })).toEqual(invalid)
    expect(asked).toHaveLength(1)
    await accepted(remote, token, { at: now + 30_000 })
    expect(asked).toHaveLength(2)
  })

  test('is not fetched for every unknown kid', async () => {
    const remote = method()
    await accepted(remote, await signed(one))
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, kid) => signed(two, { header: { kid: `k${String(kid)}` } })),
    )
    for (const token of tokens) expect(await judge(remote, token, { at: now + minute })).toEqual(invalid)
    expect(asked).toHaveLength(2)
  })

  test('no longer verifies with a key that was withdrawn', async () => {
    const remote = method()
    const token = await signed(one, { claims: { exp: now / 1000 + 3600 } })
    await accepted(remote, token)
    answer = publishing(two)
    expect(await judge(remote, token, { at: now + 10 * minute })).toEqual(invalid)
  })

  test('may be empty', async () => {
    answer = publishing()
    expect(await judge(method(), await signed(one))).toEqual(invalid)
  })

  test('skips keys that it cannot use', async () => {
    answer = (_request, response) =>
      response.end(JSON.stringify({ keys: [null, 'x', [], { kty: 'AKP' }, { ...two.jwk, kid: 7 }, one.jwk] }))
    await accepted(method(), await signed(one))
  })
})

describe('remembered tokens', () => {
  test('are verified anew when the keys change, and not while they stay the same', async () => {
    const counts = { checks: 0 }
    const remote = method({}, 10)
    const token = await signed(one, { claims: { exp: now / 1000 + 3600 } })
    await accepted(remote, token, { counts })
    expect(judgeAtOnce(remote, token, { counts })).toMatchObject({ kind: 'accept' })

    // The same document again: keys are asked for by one verification, and hits go on.
    await accepted(remote, token, { at: now + 10 * minute, counts })
    expect(judgeAtOnce(remote, token, { at: now + 11 * minute, counts })).toMatchObject({ kind: 'accept' })
    expect(counts.checks).toBe(2)

    answer = publishing(two)
    await accepted(remote, await signed(two, { claims: { exp: now / 1000 + 3600 } }), {
      at: now + 12 * minute,
    })
    expect(await judge(remote, token, { at: now + 12 * minute, counts })).toEqual(invalid)
  })

  test('are not made of keys that changed during the verification', async () => {
    const source = jwks({ url })
    let generation = 1
    const keys = { ...source, generation: () => generation++ }
    const counts = { checks: 0 }
    const remote = jwtWith(one, { keys })
    const token = await signed(one)
    await accepted(remote, token, { counts })
    await accepted(remote, token, { counts })
    expect(counts.checks).toBe(2)
  })
})

describe('an issuer that is out of reach', () => {
  const ways: readonly (readonly [string, () => typeof answer])[] = [
    ['answers 500', () => failing(500)],
    ['answers 404', () => failing(404)],
    ['answers 206', () => failing(206)],
    ['hangs up', () => (request) => request.socket.destroy()],
    [
      'redirects',
      () => (request, response) => {
        if (request.url === '/jwks.json') response.writeHead(302, { location: '/elsewhere' }).end()
        else publishing(one)(request, response)
      },
    ],
    ['answers no JSON', () => (_request, response) => response.end('<html>')],
    ['answers no key set', () => (_request, response) => response.end('[]')],
    ['answers keys that are no list', () => (_request, response) => response.end('{"keys":{}}')],
    ['answers a member twice', () => (_request, response) => response.end('{"keys":[],"keys":[]}')],
    ['answers no UTF-8', () => (_request, response) => response.end(Buffer.from([0x7b, 0xff, 0x7d]))],
    ['answers nothing', () => (_request, response) => response.end()],
    ['answers 129 keys', () => publishing(...Array.from({ length: 129 }, () => one))],
    [
      'answers more than 256 KiB',
      () => (_request, response) => response.end(`{"keys":[]}${' '.repeat(262_144)}`),
    ],
  ]

  test.each(ways)('is an outage when it %s', async (_name, way) => {
    answer = way()
    const shown = judge(method(), await signed(one))
    await expect(shown).rejects.toThrow(OutageError)
    await expect(shown).rejects.toMatchObject({ code: 'keys_unavailable' })
    expect(asked).toHaveLength(1)
  })

  test('is an outage when it says nothing in time', async () => {
    answer = () => {}
    await expect(judge(method({ timeoutMs: 50 }), await signed(one))).rejects.toThrow(OutageError)
  })

  test('is an outage when its answer never ends', async () => {
    answer = (_request, response) => void response.write('{"keys":[')
    await expect(judge(method({ timeoutMs: 100 }), await signed(one))).rejects.toThrow(OutageError)
  })

  test('is asked again after the cooldown, and not before', async () => {
    const remote = method()
    const token = await signed(one)
    answer = failing(503)
    await expect(judge(remote, token)).rejects.toThrow(OutageError)
    await expect(judge(remote, token, { at: now + 29_999 })).rejects.toThrow(OutageError)
    expect(asked).toHaveLength(1)
    answer = publishing(one)
    await accepted(remote, token, { at: now + 30_000 })
    expect(asked).toHaveLength(2)
  })

  test('leaves the keys that it published in force for an hour', async () => {
    const remote = method()
    const token = await signed(one, { claims: { exp: now / 1000 + 7200 } })
    await accepted(remote, token)
    answer = failing(503)
    await accepted(remote, token, { at: now + 10 * minute })
    await accepted(remote, token, { at: now + 60 * minute - 1 })
    expect(await judge(remote, await signed(two), { at: now + minute })).toEqual(invalid)
    await expect(judge(remote, token, { at: now + 60 * minute })).rejects.toThrow(OutageError)
  })

  test('is not waited for by tokens whose key is known', async () => {
    const remote = method({}, 10)
    const token = await signed(one)
    await accepted(remote, token)
    answer = () => {}
    const waiting = judge(remote, await signed(two), { at: now + minute })
    expect(judgeAtOnce(remote, token, { at: now + minute })).toMatchObject({ kind: 'accept' })
    await accepted(remote, await signed(one, { claims: { jti: 'x' } }), { at: now + minute })
    server.closeAllConnections()
    expect(await waiting).toEqual(invalid)
  })

  test('is asked again after the clock was set back', async () => {
    const remote = method()
    await accepted(remote, await signed(one))
    const earlier = now / 1000 - 86_400
    await accepted(remote, await signed(one, { claims: { iat: earlier, exp: earlier + 60 } }), {
      at: earlier * 1000,
    })
    expect(asked).toHaveLength(2)
  })
})

describe('the options of a remote key set', () => {
  test.each([
    'http://id.example.com/jwks.json',
    'http://localhost.example.com/',
    'http://127.0.0.1.example.com/',
    'http://128.0.0.1/',
    'https://user:secret@id.example.com/',
    'file:///etc/passwd',
    'data:application/json,{"keys":[]}',
    'jwks.json',
    '',
  ])('refuse the URL %s', (address) => {
    expect(() => jwks({ url: address })).toThrow(MisuseError)
  })

  test.each([
    'https://id.example.com/jwks.json',
    'http://localhost:8000/jwks.json',
    'http://id.localhost/jwks.json',
    'http://127.1/jwks.json',
    'http://[::1]:8000/jwks.json',
  ])('take the URL %s', (address) => {
    expect(jwks({ url: address }).kind).toBe('public')
  })

  test.each([{ cacheMs: 0 }, { cooldownMs: -1 }, { timeoutMs: Infinity }, { maxBytes: 1.5 }])(
    'refuse %o',
    (limit) => {
      expect(() => jwks({ url: 'https://id.example.com/', ...limit })).toThrow(MisuseError)
    },
  )

  test('lend another fetch, which may not follow redirects either', async () => {
    const asked: RequestInit[] = []
    const lent = async (address: string, init: RequestInit): Promise<Response> => {
      asked.push(init)
      return fetch(address, { ...init, redirect: 'follow' })
    }
    answer = (request, response) => {
      if (request.url === '/jwks.json') response.writeHead(302, { location: '/elsewhere' }).end()
      else publishing(one)(request, response)
    }
    await expect(judge(method({ fetch: lent }), await signed(one))).rejects.toThrow(OutageError)
    expect(asked).toMatchObject([{ redirect: 'error', credentials: 'omit' }])
  })

  test.each([200, 404])('bear a lent answer %i without body', async (status) => {
    const lent = async (): Promise<Response> => new Response(null, { status })
    await expect(judge(method({ fetch: lent }), await signed(one))).rejects.toThrow(OutageError)
  })

  test('bound the document', async () => {
    await expect(judge(method({ maxBytes: 10 }), await signed(one))).rejects.toThrow(OutageError)
  })
})
