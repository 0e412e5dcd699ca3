/** One visit by Autobahn|JS, in Node and in browsers alike: `visit` is sent to a page as text and refers to nothing. */

import { expect } from 'vitest'

/** What to do. */
export interface Order {
  readonly url: string
  readonly serializer: 'JSONSerializer' | 'MsgpackSerializer' | 'CBORSerializer'
  readonly name: string
  readonly method: string | undefined
  readonly authid: string | undefined
  readonly secret: string
}

/** What came of it. */
export type Visited = Readonly<Record<string, unknown>>

/** As much of the library as is used here. */
export interface Autobahn {
  readonly Connection: new (options: Readonly<Record<string, unknown>>) => AutobahnConnection
  readonly Error: new (error: string, args: readonly unknown[], kwargs: object) => unknown
  readonly serializer: Readonly<Record<Order['serializer'], new () => unknown>>
  readonly auth_cra: {
    sign(key: string, challenge: string): string
    derive_key(secret: string, salt: string, iterations: number, keylen: number): string
  }
  readonly auth_cryptosign: {
    sign_challenge(pair: unknown, extra: unknown): string
    public_key(pair: unknown): string
  }
  readonly nacl: { readonly sign: { readonly keyPair: { fromSeed(seed: Uint8Array): unknown } } }
  readonly util: { htob(hex: string): Uint8Array }
}

interface AutobahnConnection {
  onopen: (session: AutobahnSession, details: Readonly<Record<string, unknown>>) => void
  onclose: (reason: string, details: Readonly<Record<string, unknown>>) => boolean
  open(): void
  close(): void
}

interface AutobahnSession {
  call(
    procedure: string,
    args?: readonly unknown[],
    kwargs?: object,
    options?: object,
  ): Promise<unknown> & {
    cancel(options?: object): void
    then(
      done: (value: unknown) => void,
      failed: (error: unknown) => void,
      progress: (step: unknown) => void,
    ): unknown
  }
  register(procedure: string, endpoint: (...given: readonly never[]) => unknown): Promise<object>
  unregister(registration: object): Promise<unknown>
  subscribe(topic: string, handler: (...given: readonly never[]) => void, options?: object): Promise<object>
  unsubscribe(subscription: object): Promise<unknown>
  publish(topic: string, args: readonly unknown[], kwargs: object, options: object): Promise<unknown>
}

/** Joins, does everything that the library can, leaves. Never rejects. */
export async function visit(autobahn: Autobahn, order: Order): Promise<Visited> {
  const result: Record<string, unknown> = {}
  const { method, authid, secret } = order
  const pair =
    method === 'cryptosign' ? autobahn.nacl.sign.keyPair.fromSeed(autobahn.util.htob(secret)) : undefined
  const connection = new autobahn.Connection({
    url: order.url,
    realm: 'realm1',
    max_retries: 0,
    serializers: [new autobahn.serializer[order.serializer]()],
    ...(method === undefined ? {} : { authmethods: [method] }),
    ...(authid === undefined ? {} : { authid }),
    ...(pair === undefined ? {} : { authextra: { pubkey: autobahn.auth_cryptosign.public_key(pair) } }),
    onchallenge: (_session: unknown, asked: string, extra: Readonly<Record<string, never>>) => {
      if (asked === 'ticket') return secret
      if (pair !== undefined) return autobahn.auth_cryptosign.sign_challenge(pair, extra)
      const { salt, iterations, keylen, challenge = '' } = extra
      const key =
        salt === undefined ? secret : autobahn.auth_cra.derive_key(secret, salt, iterations ?? 0, keylen ?? 0)
      return autobahn.auth_cra.sign(key, challenge)
    },
  })
  const uri = (tail: string): string => `com.js.${order.name}.${tail}`
  const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'no error',
      (error: { readonly error?: string; readonly args?: unknown; readonly kwargs?: unknown }) =>
        typeof error.error === 'string' ? [error.error, error.args, error.kwargs] : String(error),
    )

  async function calls(session: AutobahnSession): Promise<void> {
    const registrations = [
      await session.register(uri('echo'), ([value]: readonly unknown[]) => value),
      await session.register(uri('fail'), () => {
        throw new autobahn.Error('com.js.broken', ['not today'], { why: 'because' })
      }),
      await session.register(
        uri('count'),
        ([to]: readonly number[], _kwargs: unknown, details: { progress(args: readonly number[]): void }) => {
          for (let each = 0; each < (to ?? 0); each++) details.progress([each])
          return to
        },
      ),
      await session.register(uri('slow'), () => new Promise((resolve) => setTimeout(resolve, 400, 'done'))),
    ]
    const value = { text: 'h\u00e9', whole: 2 ** 52, part: 0.5, none: null, list: [true, []] }
    const back = await session.call(uri('echo'), [value])
    // A map may come back in another order.
    result['echo'] = JSON.stringify(
      Object.entries(back as object).toSorted(([one], [other]) => (one < other ? -1 : 1)),
    )
    result['error'] = await errorOf(session.call(uri('fail')))
    result['missing'] = await errorOf(session.call('com.js.nowhere'))
    const steps: unknown[] = []
    await new Promise<void>((resolve, reject) => {
      // oxlint-disable-next-line promise/valid-params -- promises of this library take a third function, for progress
      session.call(uri('count'), [3], {}, { receive_progress: true }).then(
        (last) => resolve(void steps.push(last)),
        reject,
        (step) => steps.push(step),
      )
    })
    result['progress'] = steps
    const endings: unknown[] = []
    for (const options of [undefined, { mode: 'skip' }, { mode: 'killnowait' }]) {
      const slow = session.call(uri('slow'))
      const ending = errorOf(slow)
      await new Promise((resolve) => setTimeout(resolve, 20))
      slow.cancel(options)
      endings.push(await ending)
    }
    const killed = session.call(uri('slow'))
    const ending = errorOf(killed)
    await new Promise((resolve) => setTimeout(resolve, 20))
    killed.cancel({ mode: 'kill' })
    endings.push(await ending)
    // Long enough for answers that come too late, which end the connection.
    await new Promise((resolve) => setTimeout(resolve, 450))
    result['canceled'] = endings
    result['alive'] = await session.call(uri('echo'), ['still here'])
    for (const one of registrations) await session.unregister(one)
  }

  async function events(session: AutobahnSession): Promise<void> {
    const heard: unknown[] = []
    const subscriptions = [
      await session.subscribe(uri('topic'), (args: readonly unknown[]) => void heard.push(args)),
      await session.subscribe(uri(''), (args: readonly unknown[]) => void heard.push(args), {
        match: 'prefix',
      }),
    ]
    await session.publish(
      uri('topic'),
      ['news', 2],
      { key: 'value' },
      { acknowledge: true, exclude_me: false },
    )
    for (let waited = 0; heard.length < 2 && waited < 100; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await session.publish(uri('topic'), ['not for me'], {}, { acknowledge: true })
    for (const one of subscriptions) await session.unsubscribe(one)
    result['events'] = heard
    result['denied'] = await errorOf(session.subscribe('org.not.allowed', () => undefined))
  }

  return new Promise<Visited>((resolve) => {
    connection.onopen = (session, { authid: name, authrole, authmethod, authprovider }) => {
      result['joined'] = { authid: name, authrole, authmethod, authprovider }
      calls(session)
        .then(() => events(session))
        .catch((error: unknown) => void (result['failure'] = String(error)))
        .finally(() => connection.close())
    }
    connection.onclose = (reason, details) => {
      resolve({ ...result, closed: [reason, details['reason']] })
      return true
    }
    connection.open()
  })
}

/** How the library ends a call that it waits for no longer. */
const forgotten = ['Cancelled', [], {}]

/** What a visit comes to when everything works. */
export function complete(order: Order, authrole: string): Visited {
  return {
    joined: {
      authid: order.authid ?? expect.any(String),
      authrole,
      authmethod: order.method ?? 'anonymous',
      authprovider: 'static',
    },
    echo: JSON.stringify([
      ['list', [true, []]],
      ['none', null],
      ['part', 0.5],
      ['text', 'h\u00e9'],
      ['whole', 2 ** 52],
    ]),
    error: ['com.js.broken', ['not today'], { why: 'because' }],
    missing: ['wamp.error.no_such_procedure', expect.anything(), expect.anything()],
    progress: [0, 1, 2, 3],
    canceled: [forgotten, forgotten, forgotten, ['wamp.error.canceled', expect.anything(), {}]],
    alive: 'still here',
    events: [
      ['news', 2],
      ['news', 2],
    ],
    denied: ['wamp.error.not_authorized', expect.anything(), expect.anything()],
    closed: ['closed', 'wamp.close.goodbye_and_out'],
  }
}
