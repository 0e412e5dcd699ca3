import { lstatSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join as joinPath } from 'node:path'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { ListenError } from '../../../../packages/server/src/server/serve.ts'
import { authority, folder, frontend, mount, node, urlOf, users, websocket } from './mounted.ts'
import { join, joined, shows, signs } from './wamp-client.ts'

const roles = [frontend, authority]

/** Two transports: clients are judged by a procedure on one, its registrant joins on the other. */
function judgedBy(method: string, more: object = {}): object {
  const dynamic = { [method]: { type: 'dynamic', authenticator: 'com.example.authenticate', ...more } }
  return node([websocket(dynamic), websocket(users({ judge: 'a secret' }, 'authority'))], roles)
}

function judge(url: string, verdict: (args: readonly unknown[]) => unknown): Promise<unknown> {
  return joined(url, { methods: ['wampcra'], authid: 'judge', answer: signs('a secret') }).then((session) =>
    session.register('com.example.authenticate', verdict),
  )
}

describe('a transport with static users', () => {
  it('lets in who signs the challenge, under the role of the file', async () => {
    const url = urlOf(await mount(node([websocket(users({ joe: 'secret2' }))])))
    expect(await join(url, { methods: ['wampcra'], authid: 'joe', answer: signs('secret2') })).toMatchObject({
      kind: 'joined',
      details: { authid: 'joe', authrole: 'frontend', authmethod: 'wampcra', realm: 'realm1' },
    })
  })

  it('refuses whoever signs with another secret, and whoever nobody knows, alike', async () => {
    const url = urlOf(await mount(node([websocket(users({ joe: 'secret2' }))])))
    const denied = { kind: 'aborted', reason: 'wamp.error.authentication_denied' }
    expect(await join(url, { methods: ['wampcra'], authid: 'joe', answer: signs('other') })).toEqual(denied)
    expect(await join(url, { methods: ['wampcra'], authid: 'eve', answer: signs('other') })).toEqual(denied)
  })

  it('offers nothing that is not configured', async () => {
    const url = urlOf(await mount(node([websocket(users({ joe: 'secret2' }))])))
    expect(await join(url)).toMatchObject({ kind: 'aborted' })
    expect(await join(url, { methods: ['ticket'], authid: 'joe', answer: shows('secret2') })).toMatchObject({
      kind: 'aborted',
    })
  })

  it('lets a session do what its role may do, and no more', async () => {
    const url = urlOf(await mount(node([websocket(users({ joe: 'secret2' }))])))
    const session = await joined(url, { methods: ['wampcra'], authid: 'joe', answer: signs('secret2') })
    await session.register('com.example.add', ([a, b]) => Number(a) + Number(b))
    expect(await session.request(48, {}, 'com.example.add', [2, 3])).toEqual([50, 2, {}, [5]])
    expect(await session.request(64, {}, 'org.other')).toEqual([8, 64, 3, {}, 'wamp.error.not_authorized'])
  })

  it('asks for the second factor after the first, and does not offer it by itself', async () => {
    const ticket = { type: 'static', principals: { joe: { ticket: '123456', role: 'frontend' } } }
    const wampcra = {
      type: 'static',
      users: { joe: { secret: 'secret2', role: 'frontend' } },
      x_second_factor: 'ticket',
    }
    const url = urlOf(await mount(node([websocket({ wampcra, ticket })])))
    const asked: string[] = []
    const answer = (method: string, extra: Readonly<Record<string, unknown>>): string => {
      asked.push(method)
      return method === 'ticket' ? '123456' : signs('secret2')(method, extra)
    }
    const who = { methods: ['wampcra', 'ticket'], authid: 'joe' }
    expect(await join(url, { ...who, answer })).toMatchObject({ kind: 'joined' })
    expect(asked).toEqual(['wampcra', 'ticket'])
    expect(await join(url, { ...who, methods: ['ticket'], answer })).toMatchObject({ kind: 'aborted' })
  })
})

describe('settings of a transport', () => {
  it('hold for it alone: how long it waits, and the words of its refusals', async () => {
    const own = { options: { x_error_uris: 'crossbar', x_authenticate_timeout: 200 } }
    const auth = users({ joe: 'secret2' })
    const mounted = await mount(node([websocket({ ...auth, x_hello_timeout: 100 }, own), websocket(auth)]))
    const wrong = { methods: ['wampcra'], authid: 'joe', answer: signs('other') }
    expect(await join(urlOf(mounted), wrong)).toMatchObject({ reason: 'wamp.error.not_authorized' })
    expect(await join(urlOf(mounted, 1), wrong)).toMatchObject({ reason: 'wamp.error.authentication_denied' })
    const silent = new WebSocket(urlOf(mounted), 'wamp.2.json')
    const patient = new WebSocket(urlOf(mounted, 1), 'wamp.2.json')
    await new Promise((resolve) => silent.on('close', resolve))
    expect(patient.readyState).toBe(WebSocket.OPEN)
    patient.terminate()
  })
})

describe('secret headers', () => {
  it('are told to the authenticator whose block names them, and to no other', async () => {
    const promised = (names: readonly string[]): object => ({
      type: 'dynamic',
      authenticator: 'com.example.authenticate',
      x_dangerously_pass_headers: names,
    })
    const mounted = await mount(
      node(
        [
          websocket({ ticket: promised(['Cookie']) }),
          websocket({ ticket: promised([]) }),
          websocket(users({ judge: 'a secret' }, 'authority')),
        ],
        roles,
      ),
    )
    const told: unknown[] = []
    await judge(urlOf(mounted, 2), ([, , details]) => {
      told.push(Object(Object(details).transport).http_headers_received)
      return { role: 'frontend' }
    })
    const options = { headers: { cookie: 'sid=a-session', authorization: 'Basic abc' } }
    const joe = { methods: ['ticket'], authid: 'joe', answer: shows('any'), options }
    expect(await join(urlOf(mounted), joe)).toMatchObject({ kind: 'joined' })
    expect(await join(urlOf(mounted, 1), joe)).toMatchObject({ kind: 'joined' })
    expect(told[0]).toMatchObject({ cookie: 'sid=a-session' })
    expect(told[0]).not.toHaveProperty('authorization')
    expect(told[1]).not.toHaveProperty('cookie')
  })
})

describe('a transport without an auth block', () => {
  it('lets everyone in as anonymous, as Crossbar.io does', async () => {
    const open = { type: 'websocket', endpoint: { type: 'tcp', interface: '127.0.0.1', port: 0 } }
    const url = urlOf(await mount(node([open], [{ name: 'anonymous', permissions: [] }])))
    expect(await join(url)).toMatchObject({ kind: 'joined', details: { authrole: 'anonymous' } })
  })
})

describe('a dynamic authenticator', () => {
  it('is called as (realm, authid, details) and decides', async () => {
    const mounted = await mount(judgedBy('ticket'))
    const calls: unknown[] = []
    await judge(urlOf(mounted, 1), (args) => {
      calls.push(args)
      return { role: 'frontend', authid: 'joe-1', extra: { plan: 'free' } }
    })
    const joining = await join(urlOf(mounted), { methods: ['ticket'], authid: 'joe', answer: shows('abc') })
    expect(joining).toMatchObject({
      kind: 'joined',
      details: { authid: 'joe-1', authprovider: 'dynamic', authextra: { plan: 'free' } },
    })
    expect(calls).toMatchObject([['realm1', 'joe', { ticket: 'abc', authmethod: 'ticket' }]])
  })

  it('denies by raising', async () => {
    const mounted = await mount(judgedBy('ticket'))
    await judge(urlOf(mounted, 1), () => {
      throw new Error('no')
    })
    expect(
      await join(urlOf(mounted), { methods: ['ticket'], authid: 'joe', answer: shows('abc') }),
    ).toMatchObject({ kind: 'aborted', reason: 'wamp.error.authentication_denied' })
  })

  it('that is not there yet closes with 1013, and lets in once it is', async () => {
    const mounted = await mount(judgedBy('ticket'))
    const who = { methods: ['ticket'], authid: 'joe', answer: shows('abc') }
    expect(await join(urlOf(mounted), who)).toMatchObject({ kind: 'closed', code: 1013 })
    await judge(urlOf(mounted, 1), () => 'frontend')
    expect(await join(urlOf(mounted), who)).toMatchObject({ kind: 'joined' })
  })

  it('cannot be registered or called by those whom it judges', async () => {
    const mounted = await mount(judgedBy('ticket'))
    await judge(urlOf(mounted, 1), () => 'frontend')
    const session = await joined(urlOf(mounted), { methods: ['ticket'], authid: 'eve', answer: shows('x') })
    expect((await session.request(64, {}, 'com.example.authenticate'))[4]).toBe('wamp.error.not_authorized')
    expect((await session.request(48, {}, 'com.example.authenticate'))[0]).toBe(8)
  })

  it('hands over secrets of WAMP-CRA', async () => {
    const mounted = await mount(judgedBy('wampcra'))
    await judge(urlOf(mounted, 1), () => ({ secret: 'of joe', role: 'frontend' }))
    const who = { methods: ['wampcra'], authid: 'joe' }
    expect(await join(urlOf(mounted), { ...who, answer: signs('of joe') })).toMatchObject({ kind: 'joined' })
    expect(await join(urlOf(mounted), { ...who, answer: signs('of eve') })).toMatchObject({ kind: 'aborted' })
  })

  it('is asked about those whom the list before it does not know', async () => {
    const list = [
      { type: 'static', principals: { joe: { ticket: 'listed', role: 'frontend' } } },
      { type: 'dynamic', authenticator: 'com.example.authenticate' },
    ]
    const config = node(
      [websocket({ ticket: list }), websocket(users({ judge: 'a secret' }, 'authority'))],
      roles,
    )
    const mounted = await mount(config)
    const asked: unknown[] = []
    await judge(urlOf(mounted, 1), ([, authid]) => {
      asked.push(authid)
      return 'frontend'
    })
    const joe = { methods: ['ticket'], authid: 'joe', answer: shows('listed') }
    expect(await join(urlOf(mounted), joe)).toMatchObject({ details: { authprovider: 'static' } })
    expect(await join(urlOf(mounted), { ...joe, authid: 'ann' })).toMatchObject({
      details: { authprovider: 'dynamic' },
    })
    expect(asked).toEqual(['ann'])
  })
})

describe('a function authenticator', () => {
  const auth = { ticket: { type: 'function', create: './auth.mjs#create', config: { ticket: 'abc' } } }

  it('is made once with its config, and denies by throwing', async () => {
    const at = folder()
    writeFileSync(
      joinPath(at, 'auth.mjs'),
      `export function create(config) {
        return (realm, authid, details) => {
          if (details.ticket !== config.ticket) throw new Error('denied')
          return { role: 'frontend', authid: authid + '@' + realm }
        }
      }`,
    )
    const url = urlOf(await mount(node([websocket(auth)]), { at }))
    const who = { methods: ['ticket'], authid: 'joe' }
    expect(await join(url, { ...who, answer: shows('abc') })).toMatchObject({
      details: { authid: 'joe@realm1', authprovider: 'function' },
    })
    expect(await join(url, { ...who, answer: shows('abcd') })).toMatchObject({ kind: 'aborted' })
  })

  it.each([
    ['', 'cannot be imported (ERR_MODULE_NOT_FOUND)'],
    ['export const other = 1', 'exports no function called create'],
    ['export const create = () => 1', 'create must return a function'],
    [
      "export const create = () => { throw new Error('the secret is 7') }",
      'failed to make an authenticator (Error)',
    ],
  ])('that is none refuses to start: %s', async (text, why) => {
    const at = folder()
    if (text !== '') writeFileSync(joinPath(at, 'auth.mjs'), text)
    await expect(mount(node([websocket(auth)]), { at })).rejects.toThrow(why)
  })
})

describe('origins', () => {
  it('are any for a challenge, and those that are listed otherwise', async () => {
    const listed = { options: { allowed_origins: ['https://app.example.com'], allow_null_origin: false } }
    const mounted = await mount(
      node([websocket(users({ joe: 'secret2' })), websocket(users({ joe: 'secret2' }), listed)]),
    )
    const from = (origin: string) => ({
      methods: ['wampcra'],
      authid: 'joe',
      answer: signs('secret2'),
      options: { headers: { origin } },
    })
    expect(await join(urlOf(mounted), from('https://evil.example'))).toMatchObject({ kind: 'joined' })
    expect(await join(urlOf(mounted, 1), from('https://evil.example'))).toEqual({ kind: 'http', status: 403 })
    expect(await join(urlOf(mounted, 1), from('null'))).toEqual({ kind: 'http', status: 403 })
    expect(await join(urlOf(mounted, 1), from('https://app.example.com'))).toMatchObject({ kind: 'joined' })
  })
})

describe('an endpoint in the file system', () => {
  it('is listened on, opens to tickets, and is gone with the server', async () => {
    const at = folder()
    const ticket = { type: 'static', principals: { joe: { ticket: 'abc', role: 'frontend' } } }
    const path = joinPath(at, 'router.sock')
    const config = node([{ type: 'websocket', endpoint: { type: 'unix', path }, auth: { ticket } }])
    const mounted = await mount(config, { at })
    expect(urlOf(mounted)).toBe(`ws+unix://${path}:/`)
    expect(
      await join(urlOf(mounted), { methods: ['ticket'], authid: 'joe', answer: shows('abc') }),
    ).toMatchObject({ kind: 'joined' })
    await mounted.close()
    expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined()
  })

  it('overwrites nothing that is no socket, and nobody who listens', async () => {
    const at = folder()
    const config = (path: string): object =>
      node([{ type: 'websocket', endpoint: { type: 'unix', path }, auth: users({ joe: 'secret2' }) }])
    writeFileSync(joinPath(at, 'notes'), 'mine')
    await expect(mount(config('notes'), { at })).rejects.toThrow(
      new ListenError('EEXIST', joinPath(at, 'notes')),
    )
    await mount(config('taken'), { at })
    await expect(mount(config('taken'), { at })).rejects.toThrow('EADDRINUSE')
  })
})

describe('an address that is taken', () => {
  it('is named, and nothing stays open', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const taken = websocket(users({ joe: 'x' }), { endpoint: { type: 'tcp', interface: '127.0.0.1', port } })
    await expect(mount(node([websocket(users({ joe: 'x' })), taken]))).rejects.toThrow(
      new ListenError('EADDRINUSE', `127.0.0.1:${port}`),
    )
    other.close()
  })
})

describe('the end', () => {
  it('is said to every session', async () => {
    const mounted = await mount(node([websocket(users({ joe: 'secret2' }))]))
    const session = await joined(urlOf(mounted), {
      methods: ['wampcra'],
      authid: 'joe',
      answer: signs('secret2'),
    })
    const closing = mounted.close()
    expect(await session.goodbye()).toBe('wamp.close.system_shutdown')
    await closing
  })
})
