/** What breaks the protocol, over each transport and serializer: the exact end of it, and nobody else is disturbed. */
import { describe, expect, it } from 'vitest'
import { until } from '../support/sockets.ts'
import { carriages, Client, formats, roles, type Format } from './wamp-client.ts'
import { openSite, type Site } from './wamp-site.ts'

const forms = carriages.flatMap((over) => formats.map((format) => ({ over, format })))

/** Bytes that are no message, by serializer. */
const undecodable: Readonly<Record<Format, Readonly<Record<string, Buffer>>>> = {
  json: {
    'half a message': Buffer.from('[1,"realm1"'),
    'text behind a message': Buffer.from('[16,1,{},"com.a"] x'),
    'what is no UTF-8': Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]),
    'a depth bomb': Buffer.from(`[16,1,{},"com.a",${'['.repeat(3_000)}${']'.repeat(3_000)}]`),
    'an empty array': Buffer.from('[]'),
    'an object': Buffer.from('{}'),
    nothing: Buffer.alloc(0),
  },
  msgpack: {
    'half a message': Buffer.from([0x93, 0x01, 0xa6, 0x72]),
    'bytes behind a message': Buffer.from([0x94, 0x10, 0x01, 0x80, 0xa5, ...Buffer.from('com.a'), 0xc0]),
    'an array longer than anything': Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]),
    'a text longer than the message': Buffer.from([0x93, 0x01, 0xdb, 0xff, 0xff, 0xff, 0xff]),
    'a depth bomb': Buffer.concat([
      Buffer.from([0x95, 0x10, 0x01, 0x80, 0xa5, ...Buffer.from('com.a')]),
      Buffer.alloc(3_000, 0x91),
      Buffer.from([0x90]),
    ]),
    'an empty array': Buffer.from([0x90]),
    'a map': Buffer.from([0x80]),
  },
  cbor: {
    'half a message': Buffer.from([0x83, 0x01, 0x66, 0x72]),
    'bytes behind a message': Buffer.from([0x84, 0x10, 0x01, 0xa0, 0x65, ...Buffer.from('com.a'), 0xf6]),
    'an array longer than anything': Buffer.from([0x9b, 0, 0, 0, 1, 0, 0, 0, 0]),
    'a text longer than the message': Buffer.from([0x83, 0x01, 0x7a, 0xff, 0xff, 0xff, 0xff]),
    'a depth bomb': Buffer.concat([
      Buffer.from([0x85, 0x10, 0x01, 0xa0, 0x65, ...Buffer.from('com.a')]),
      Buffer.alloc(3_000, 0x81),
      Buffer.from([0x80]),
    ]),
    'an empty array': Buffer.from([0x80]),
    'a map': Buffer.from([0xa0]),
  },
}

/** Messages that no session may send, whatever its state is. */
const violations: Readonly<Record<string, readonly unknown[]>> = {
  'an unknown code': [99, 1],
  'a code that is no number': ['1', 'realm1', {}],
  'a second HELLO': [1, 'realm1', { roles }],
  'AUTHENTICATE without a challenge': [5, 'signature', {}],
  'WELCOME, which only routers send': [2, 1, {}],
  'CHALLENGE, which only routers send': [4, 'ticket', {}],
  'RESULT, which only routers send': [50, 1, {}],
  'EVENT, which only routers send': [36, 1, 1, {}],
  'INVOCATION, which only routers send': [68, 1, 1, {}],
  'REGISTERED, which only routers send': [65, 1, 1],
  'YIELD to an invocation that never was': [70, 1, {}],
  'ERROR to an invocation that never was': [8, 68, 1, {}, 'com.error'],
  'ERROR about something that routers do not ask': [8, 48, 1, {}, 'com.error'],
  'a CALL without a procedure': [48, 1, {}],
  'a CALL whose id is a text': [48, '1', {}, 'com.add'],
  'a CALL whose id is no id': [48, 0, {}, 'com.add'],
  'a CALL whose id is a fraction': [48, 1.5, {}, 'com.add'],
  'a CALL whose options are a list': [48, 1, [], 'com.add'],
  'a CALL whose arguments are no list': [48, 1, {}, 'com.add', {}],
  'a SUBSCRIBE whose topic is a number': [32, 1, {}, 7],
  'an EVENT too short': [36],
}

/** Somebody who has nothing to do with it: events reach this session before and after. */
async function bystander(site: Site, form: (typeof forms)[number]): Promise<() => Promise<void>> {
  const witness = await Client.joined(site, form)
  await witness.ask(32, {}, 'com.quiet')
  return async () => {
    await witness.ask(16, { acknowledge: true, exclude_me: false }, 'com.quiet', ['still here'])
    expect((await witness.heard(36))[4]).toEqual(['still here'])
    witness.drop()
  }
}

/** ABORT with three elements, nothing behind it, and the end of the transport. */
async function expectViolation(client: Client): Promise<void> {
  await expectAborted(client, 'wamp.error.protocol_violation', { code: 1002, reason: 'protocol_violation' })
}

async function expectAborted(
  client: Client,
  uri: string,
  closed: { readonly code: number; readonly reason: string },
): Promise<void> {
  const end = await client.closed()
  expect(client.got.at(-1)).toEqual([3, { message: expect.any(String) }, uri])
  expect(end).toEqual(client.over === 'rawsocket' ? { code: 0, reason: '' } : closed)
}

describe.each(forms)('$over $format', (form) => {
  it('ends a session that breaks the protocol, and no other', async () => {
    const site = await openSite()
    const undisturbed = await bystander(site, form)
    for (const [what, message] of Object.entries(violations)) {
      const client = await Client.joined(site, form)
      client.send(...message)
      // In the same breath: it must not be carried out any more.
      client.send(16, 1, { exclude_me: true }, 'com.quiet', ['too late'])
      await expectViolation(client).catch((error: unknown) => {
        throw new Error(what, { cause: error })
      })
    }
    expect(site.router.connections).toBe(1)
    await undisturbed()
  })

  it('ends a session that cannot be decoded, and no other', async () => {
    const site = await openSite()
    const undisturbed = await bystander(site, form)
    for (const [what, bytes] of Object.entries(undecodable[form.format])) {
      if (form.over === 'websocket' && what === 'what is no UTF-8') continue
      const client = await Client.joined(site, form)
      client.sendBytes(client.envelope(bytes))
      const expected =
        form.over === 'batched' && what === 'what is no UTF-8' ? client.closed() : expectViolation(client)
      await Promise.resolve(expected).catch((error: unknown) => {
        throw new Error(what, { cause: error })
      })
    }
    await undisturbed()
  })

  it('takes nothing but HELLO for a beginning', async () => {
    const site = await openSite()
    for (const message of [[16, 1, {}, 'com.a'], [5, 'signature', {}], [2, 1, {}], [99]]) {
      const client = await Client.open(site, form)
      client.send(...message)
      await expectViolation(client)
    }
    for (const [realm, details] of [
      ['realm1', {}],
      ['realm1', { roles: {} }],
      ['realm1', { roles: [] }],
      ['realm1', { roles, authmethods: 'ticket' }],
      ['realm1', { roles, authid: 7 }],
      [7, { roles }],
    ]) {
      const client = await Client.open(site, form)
      client.send(1, realm, details)
      await expectViolation(client)
    }
    expect(site.router.connections).toBe(0)
  })

  it('takes one answer to one challenge, and a replayed one for a violation', async () => {
    const site = await openSite()
    const undisturbed = await bystander(site, form)
    const twice = await Client.open(site, form)
    twice.hello({ authmethods: ['ticket'], authid: 'joe' })
    await twice.heard(4)
    twice.send(5, 'joe ticket', {})
    await twice.heard(2)
    twice.send(5, 'joe ticket', {})
    await expectViolation(twice)

    const second = await Client.open(site, form)
    second.hello({ authmethods: ['ticket'], authid: 'joe' })
    await second.heard(4)
    second.send(5, 'wrong', {})
    second.send(5, 'joe ticket', {})
    await second.closed()
    expect(second.got.map(([code]) => code)).toEqual([4, 3])
    expect(['wamp.error.authentication_denied', 'wamp.error.protocol_violation']).toContain(
      second.got[1]?.[2],
    )

    const impatient = await Client.open(site, form)
    impatient.hello({ authmethods: ['ticket'], authid: 'joe' })
    impatient.send(16, 1, {}, 'com.quiet')
    await expectViolation(impatient)
    await undisturbed()
  })

  it('answers an invalid URI and an option of a wrong type, and goes on', async () => {
    const site = await openSite()
    const client = await Client.joined(site, form)
    const asked: readonly (readonly [readonly unknown[], string])[] = [
      [[32, {}, 'com..gap'], 'invalid_uri'],
      [[32, {}, 'com.with space'], 'invalid_uri'],
      [[64, {}, 'com.#'], 'invalid_uri'],
      [[48, {}, 'com..gap'], 'invalid_uri'],
      [[16, { acknowledge: true }, 'com..gap'], 'invalid_uri'],
      [[32, { match: 'regex' }, 'com.a'], 'invalid_argument'],
      [[32, { get_retained: 1 }, 'com.a'], 'invalid_argument'],
      [[16, { acknowledge: true, exclude_me: 'no' }, 'com.a'], 'invalid_argument'],
      [[16, { acknowledge: true, eligible: 'me' }, 'com.a'], 'invalid_argument'],
      [[48, { timeout: 'soon' }, 'com.a'], 'invalid_argument'],
      [[64, { invoke: 'all' }, 'com.a'], 'invalid_argument'],
    ]
    for (const [[code, ...rest], error] of asked) {
      const answer = await client.ask(Number(code), ...rest)
      expect([rest, answer[4]]).toEqual([rest, `wamp.error.${error}`])
    }
    // Nobody waits for the answer to a PUBLISH that is not acknowledged.
    const before = client.got.length
    client.send(16, 99, {}, 'com..gap')
    await client.ask(32, {}, 'com.fine')
    expect(client.got).toHaveLength(before + 1)
  })

  it('takes the YIELD of another session for a violation, and the caller still hears the right one', async () => {
    const site = await openSite()
    const callee = await Client.joined(site, form)
    const caller = await Client.joined(site, form)
    const thief = await Client.joined(site, form)
    await callee.ask(64, {}, 'com.secret')
    const result = caller.ask(48, {}, 'com.secret')
    const [, invocation] = await callee.heard(68)
    thief.send(70, invocation, {}, ['stolen'])
    await expectViolation(thief)
    callee.send(70, invocation, {}, ['right'])
    expect((await result)[3]).toEqual(['right'])
  })

  it('does not carry a message larger than allowed', async () => {
    const site = await openSite({ ws: { maxMessageBytes: 4_096 }, raw: { maxMessageBytes: 4_096 } })
    const undisturbed = await bystander(site, {
      ...form,
      over: form.over === 'rawsocket' ? 'websocket' : form.over,
    })
    const large = await largeClient(site, form)
    large.send(16, 1, {}, 'com.quiet', ['x'.repeat(5_000)])
    const end = await large.closed()
    expect(end.code).toBe(form.over === 'rawsocket' ? 0 : 1009)
    await undisturbed()
  })
})

/** RawSocket's own handshake tells the limit, which the usual client holds to be the usual one. */
async function largeClient(site: Site, form: (typeof forms)[number]): Promise<Client> {
  const client = new Client(site, { ...form, rawLimit: 0x30 })
  await until(() => client.open)
  await client.join()
  return client
}

describe('a WebSocket', () => {
  it('is ended by a frame of the wrong type', async () => {
    const site = await openSite()
    for (const over of ['websocket', 'batched'] as const) {
      for (const format of formats) {
        const client = await Client.joined(site, { format, over })
        client.web?.send(client.envelope(Buffer.from('[]')), { binary: format === 'json' })
        await expectViolation(client)
      }
    }
  })

  it('is ended by a batch that is none', async () => {
    const site = await openSite()
    const bad = { json: '\x18[32,1,{},"com.a"]\x18', msgpack: '\0\0\0\x09\x90', cbor: '\0\0' }
    for (const format of formats) {
      for (const bytes of [Buffer.from(bad[format], 'latin1'), Buffer.alloc(0)]) {
        const client = await Client.joined(site, { format, over: 'batched' })
        client.sendBytes(bytes)
        await expectViolation(client)
      }
    }
  })

  it('is ended with 1007 by text that is no UTF-8', async () => {
    const site = await openSite()
    const client = await Client.joined(site)
    client.sendBytes(Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]))
    expect((await client.closed()).code).toBe(1007)
    expect(site.router.connections).toBe(0)
  })
})
