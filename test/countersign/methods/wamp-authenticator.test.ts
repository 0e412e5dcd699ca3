import { describe, expect, test, vi } from 'vitest'
import { wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import { MisuseError, OutageError } from '../../../packages/countersign/src/core/errors.ts'
import {
  anonymous,
  cryptosign,
  dynamicAuthenticator,
  functionAuthenticator,
  wampcra,
  type CallOutcome,
  type CallProcedure,
  type DynamicAuthenticatorOptions,
} from '../../../packages/countersign/src/methods/index.ts'
import { expectAccepted, helloOf, stage, type Held } from './wamp-support.ts'

const from = wampHello()
const denied = { verdict: { kind: 'deny', reason: 'invalid_credential' } }

/** Asks an authenticator about an anonymous session: it needs nothing besides an identity. */
async function ask(
  outcome: CallOutcome | Error,
  options: Partial<DynamicAuthenticatorOptions> = {},
  facts: Parameters<typeof helloOf>[1] = {},
): Promise<{ readonly held: Held; readonly calls: readonly Parameters<CallProcedure>[0][] }> {
  const call = vi.fn<CallProcedure>(async () =>
    outcome instanceof Error ? Promise.reject(outcome) : outcome,
  )
  const authenticator = dynamicAuthenticator({ call, procedure: 'com.example.authenticate', ...options })
  const held = await stage().hold(
    anonymous({ from, authenticators: [authenticator] }),
    helloOf('anonymous', facts),
  )
  return { held, calls: call.mock.calls.map(([one]) => one) }
}

const result = (value: unknown): CallOutcome => ({ kind: 'result', value })

describe('a dynamic authenticator', () => {
  test('is called with exactly realm, authid and details', async () => {
    const { calls } = await ask(
      result('role'),
      {},
      { join: { authextra: { a: [1, { b: 2 }] }, transport: { peer: 'p' } } },
    )
    expect(calls).toEqual([
      {
        realm: 'realm1',
        procedure: 'com.example.authenticate',
        timeoutMs: 5_000,
        args: [
          'realm1',
          expect.stringMatching(/^[\w-]{20}$/),
          {
            session: 4_711,
            transport: { peer: 'p' },
            authmethod: 'anonymous',
            authextra: { a: [1, { b: 2 }] },
          },
        ],
      },
    ])
  })

  test('is called on a realm of its own, for any realm or none', async () => {
    const { calls } = await ask(
      result('role'),
      { realm: 'auth', timeoutMs: 7 },
      { join: { realm: undefined } },
    )
    expect(calls[0]).toMatchObject({ realm: 'auth', timeoutMs: 7, args: [null, expect.any(String), {}] })
  })

  test('is told that nobody was named', async () => {
    const call = vi.fn<CallProcedure>(async () => result(null))
    const sources = [dynamicAuthenticator({ call, procedure: 'p' })]
    const hello = helloOf('cryptosign', {
      authid: undefined,
      join: { authextra: { pubkey: 'ab'.repeat(32) } },
    })
    await stage().hold(cryptosign({ from, sources }), hello)
    expect(call.mock.calls[0]?.[0].args.slice(0, 2)).toEqual(['realm1', null])
  })

  test('without any realm to be called on denies', async () => {
    expect((await ask(result('role'), {}, { join: { realm: undefined } })).held).toMatchObject(denied)
  })

  test('gives a role by a text, and more by a dictionary', async () => {
    expect(expectAccepted((await ask(result('member'))).held).principal.roles).toEqual(['member'])
    const extra = { colour: 'red' }
    const { held } = await ask(result({ role: 'a', authid: 'b', realm: 'c', extra, secret: 'never told' }))
    const { principal } = expectAccepted(held)
    expect(principal).toMatchObject({ id: 'b', roles: ['a'], realm: 'c', provider: 'dynamic' })
    expect(principal.claims).toEqual({ authid: 'b', authextra: { colour: 'red' } })
    expect(principal.claims['authextra']).not.toBe(extra)
  })

  test('leaves those without a role the default one', async () => {
    const { held } = await ask(result({ authid: 'b' }), { defaultRole: 'guest' })
    expect(expectAccepted(held).principal.roles).toEqual(['guest'])
  })

  test.each([
    ['raising', { kind: 'error', uri: 'com.example.error.wrong' } as const],
    ['raising that there is nobody', { kind: 'error', uri: 'wamp.error.no_such_principal' } as const],
    ['answering nothing', result(null)],
  ])('denies by %s', async (_what, outcome) => {
    expect((await ask(outcome)).held).toMatchObject(denied)
  })

  test('that cannot be reached is an outage, not a denial', async () => {
    await expect(ask(new OutageError('overloaded', 'no such procedure'))).rejects.toThrow(OutageError)
  })

  test.each([
    [7],
    [true],
    [[]],
    [{ role: 7 }],
    [{ authid: '' }],
    [{ realm: {} }],
    [{ extra: 'x' }],
    ['x'.repeat(1_025)],
  ])('that answers %j breaks the contract', async (value) => {
    await expect(ask(result(value))).rejects.toThrow(MisuseError)
  })
})

describe('the next source', () => {
  const peter = { secret: 's', role: 'r' }
  const asked = async (first: CallOutcome): Promise<boolean> => {
    const second = vi.fn<() => unknown>(() => peter)
    const sources = [
      dynamicAuthenticator({ call: async () => first, procedure: 'p' }),
      functionAuthenticator(second),
    ]
    await stage().hold(wampcra({ from, sources }), helloOf('wampcra'))
    return second.mock.calls.length > 0
  }

  test('is asked about those whom an authenticator does not know', async () => {
    expect(await asked(result(null))).toBe(true)
    expect(await asked({ kind: 'error', uri: 'wamp.error.no_such_principal' })).toBe(true)
  })

  test('is not asked about those whom it denies or knows', async () => {
    expect(await asked({ kind: 'error', uri: 'wamp.error.not_authorized' })).toBe(false)
    expect(await asked(result(peter))).toBe(false)
  })
})

describe('an authenticator that answers no secret', () => {
  test.each([['role'], [{ role: 'a' }], [{ secret: 7 }], [{ secret: 'a', salt: 7 }], [{ secret: '' }]])(
    'breaks the contract of WAMP-CRA: %j',
    async (value) => {
      const sources = [functionAuthenticator(() => value)]
      await expect(stage().hold(wampcra({ from, sources }), helloOf('wampcra'))).rejects.toThrow(MisuseError)
    },
  )
})

describe('details', () => {
  const headers = {
    host: 'h',
    'user-agent': 'u',
    authorization: 'Bearer t',
    'Proxy-Authorization': 'Basic t',
    cookie: 'cbtid=t',
    'x-access-token': 't',
    'x-api-key': 't',
    'sec-websocket-protocol': 'wamp.2.json, countersign.bearer.t',
    'sec-websocket-key': 'k',
    referer: 'https://h/p?ticket=t#t',
  }
  const told = async (dangerouslyPassHeaders?: readonly string[]): Promise<Record<string, unknown>> => {
    const options = dangerouslyPassHeaders === undefined ? {} : { dangerouslyPassHeaders }
    const { calls } = await ask(result('r'), options, {
      join: { transport: { http_headers_received: headers } },
    })
    const details = calls[0]?.args[2] as { transport: { http_headers_received: Record<string, unknown> } }
    return details.transport.http_headers_received
  }

  test('hold no secret header, whatever the transport has left in', async () => {
    expect(await told()).toEqual({
      host: 'h',
      'user-agent': 'u',
      'sec-websocket-protocol': 'wamp.2.json',
      'sec-websocket-key': 'k',
      referer: 'https://h/p',
    })
  })

  test('hold those that are named', async () => {
    expect(await told(['Cookie', 'proxy-authorization'])).toMatchObject({
      cookie: 'cbtid=t',
      'Proxy-Authorization': 'Basic t',
    })
  })

  test('are a copy: nothing of the opening or the configuration can be changed through them', async () => {
    const authextra = { list: [1] }
    const spoil = functionAuthenticator((_realm, _authid, details) => {
      const { list } = details['authextra'] as { list: number[] }
      list.push(2)
      return 'r'
    })
    await stage().hold(
      anonymous({ from, authenticators: [spoil] }),
      helloOf('anonymous', { join: { authextra } }),
    )
    expect(authextra).toEqual({ list: [1] })
  })
})

describe('a function', () => {
  test('is told what the client has left out as null', async () => {
    const asked: unknown[] = []
    const authenticators = [functionAuthenticator((...args) => void asked.push(args.slice(0, 2)))]
    const hello = helloOf('anonymous', { join: { realm: undefined } })
    await stage().hold(anonymous({ from, authenticators }), hello)
    expect(asked).toEqual([[null, expect.any(String)]])
  })

  test('denies by throwing, and passes outages on', async () => {
    const throwing = (error: Error): Promise<Held> => {
      const authenticators = [
        functionAuthenticator(() => {
          throw error
        }),
      ]
      return stage().hold(anonymous({ from, authenticators }), helloOf('anonymous'))
    }
    expect(await throwing(new Error('no'))).toMatchObject(denied)
    await expect(throwing(new OutageError('overloaded', 'later'))).rejects.toThrow(OutageError)
  })
})
