/** wampy, unmodified, over `ws`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Wampy } from 'wampy'
import { CborSerializer } from 'wampy/CborSerializer.js'
import { sign as signCryptosign } from 'wampy/cryptosign.js'
import { JsonSerializer } from 'wampy/JsonSerializer.js'
import { MsgpackSerializer } from 'wampy/MsgpackSerializer.js'
import { sign as signCra } from 'wampy/wampcra.js'
import { until } from '../countersign/support/sockets.ts'
import type { Site } from '../countersign/adapters/wamp-site.ts'
import { publicKeyOf, startForGuests, ways, type Way } from './wamp-guests.ts'

let site: Site
beforeAll(async () => {
  site = await startForGuests()
})
afterAll(() => site.close())

type Options = ConstructorParameters<typeof Wampy>[1]

const serializers = { json: JsonSerializer, msgpack: MsgpackSerializer, cbor: CborSerializer } as const
type Name = keyof typeof serializers

/** How wampy answers challenges, by what is shown. */
function answering({ method, authid, secret }: Way): Partial<Options> {
  if (method === undefined || method === 'anonymous') return {}
  const plugins = { wampcra: signCra, cryptosign: signCryptosign, ticket: () => () => secret }
  const plugin = plugins[method as keyof typeof plugins](secret) // SCRAM was left out
  return {
    authid: authid ?? null,
    authmethods: [method],
    authMode: 'auto',
    authPlugins: { [method]: plugin as never }, // its own types want one shape of extra for all plugins
    ...(method === 'cryptosign' ? { authextra: { pubkey: publicKeyOf(secret) } } : {}),
  }
}

function guest(serializer: Name, way: Way): Wampy {
  return new Wampy(site.url, {
    realm: 'realm1',
    autoReconnect: false,
    ws: WebSocket as never, // `ws` is what it asks for in Node; its types know the browser's class alone
    serializer: new serializers[serializer](),
    ...answering(way),
  })
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: { readonly errorUri?: string; readonly argsList?: unknown; readonly argsDict?: unknown }) => [
      error.errorUri,
      error.argsList,
      error.argsDict,
    ],
  )
}

async function uriOf(promise: Promise<unknown>): Promise<unknown> {
  const told = await errorOf(promise)
  return Array.isArray(told) ? told[0] : told
}

const cases = Object.entries(ways)
  .filter(([what]) => what !== 'scram')
  .flatMap(([what, way]) =>
    (Object.keys(serializers) as Name[]).map((serializer) => ({ what, way, serializer })),
  ) // its own names

describe('wampy joins', () => {
  it.each(cases)(
    'by $what over $serializer, and does everything a session can',
    async ({ what, way, serializer }) => {
      const wampy = guest(serializer, way)
      const uri = (tail: string): string => `com.wampy.${what.replaceAll(' ', '_')}.${serializer}.${tail}`
      await wampy.connect()

      await wampy.register(uri('echo'), ({ argsList }) => ({ argsList: argsList ?? [] }))
      await wampy.register(uri('fail'), () => {
        throw Object.assign(new Error('broken'), {
          error: 'com.wampy.broken',
          argsList: ['not today'],
          argsDict: { why: 'because' },
        })
      })
      await wampy.register(
        uri('slow'),
        () => new Promise((resolve) => setTimeout(resolve, 150, { argsList: ['done'] })),
      )
      await wampy.register(uri('count'), ({ argsList, result_handler: step }) => {
        for (let each = 0; each < Number(argsList?.[0]); each++)
          step?.({ argsList: [each], options: { progress: true } })
        return { argsList: [argsList?.[0]] }
      })
      const value = { text: 'h\u00e9', whole: 2 ** 31, part: 0.5, none: null, list: [true, []] }
      expect((await wampy.call(uri('echo'), [value])).argsList).toEqual([value])
      expect(await errorOf(wampy.call(uri('fail')))).toEqual([
        'com.wampy.broken',
        ['not today'],
        { why: 'because' },
      ])
      expect(await uriOf(wampy.call('com.wampy.nowhere'))).toBe('wamp.error.no_such_procedure')
      const steps: unknown[] = []
      const last = await wampy.call(uri('count'), [3], {
        progress_callback: ({ argsList }) => void steps.push(argsList?.[0]),
      })
      expect([...steps, last.argsList?.[0]]).toEqual([0, 1, 2, 3])

      // It waits for the answer to its CANCEL.
      for (const mode of ['skip', 'killnowait', 'kill'] as const) {
        const pending = wampy.call(uri('slow'))
        const ending = uriOf(pending)
        wampy.cancel(wampy.getOpStatus().reqId ?? 0, { mode })
        expect(await ending).toBe('wamp.error.canceled')
      }
      await new Promise((resolve) => setTimeout(resolve, 200))

      const heard: unknown[] = []
      const hear = ({ argsList, argsDict }: { argsList?: unknown[]; argsDict?: object }): void =>
        void heard.push([argsList, argsDict])
      await wampy.subscribe(uri('topic'), hear)
      await wampy.subscribe(uri('top'), hear, { match: 'prefix' })
      // It cannot ask for its own events: somebody else publishes.
      const speaker = guest(serializer, { ...way, method: undefined })
      await speaker.connect()
      const me = Number(wampy.getSessionId())
      await speaker.publish(uri('topic'), { argsList: ['news', 2], argsDict: { key: 'value' } })
      await speaker.publish(uri('topic'), ['not for me'], { exclude: [me] })
      await speaker.publish(uri('topic'), ['for me'], { eligible: [me] })
      await until(() => heard.length === 4)
      const news = [['news', 2], { key: 'value' }]
      expect(heard).toEqual([news, news, [['for me'], undefined], [['for me'], undefined]])
      await speaker.disconnect()
      await wampy.unsubscribe(uri('topic'))
      await wampy.unregister(uri('slow'))
      expect(await uriOf(wampy.subscribe('org.not.allowed', hear))).toBe('wamp.error.not_authorized')
      await wampy.disconnect()
    },
  )

  it('not with a wrong secret', async () => {
    for (const what of ['ticket', 'wampcra', 'salted wampcra']) {
      const way = ways[what]
      if (way === undefined) throw new Error(what)
      const ending = uriOf(guest('json', { ...way, secret: 'wrong' }).connect())
      expect(await ending).toBe('wamp.error.authentication_denied')
    }
  })
})
