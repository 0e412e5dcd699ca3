import { describe, expect, it } from 'vitest'
import { carriages, Client, formats } from './wamp-client.ts'
import { openSite } from './wamp-site.ts'

const forms = carriages.flatMap((over) => formats.map((format) => ({ over, format })))

describe.each(forms)('$over $format', (form) => {
  it('joins, subscribes and hears an event, registers and answers a call, and leaves', async () => {
    const site = await openSite()
    const one = await Client.joined(site, form)
    const other = await Client.joined(site, form)
    const [, , subscription] = await one.ask(32, {}, 'com.topic')
    expect(
      await other.ask(16, { acknowledge: true }, 'com.topic', ['é', 2 ** 40], { key: null }),
    ).toHaveLength(3)
    expect(await one.heard(36)).toEqual([
      36,
      subscription,
      expect.any(Number),
      {},
      ['é', 2 ** 40],
      { key: null },
    ])
    await one.ask(64, {}, 'com.add')
    const result = other.ask(48, {}, 'com.add', [2, 3])
    const [, invocation, , , args] = await one.heard(68)
    expect(args).toEqual([2, 3])
    one.send(70, invocation, {}, [5])
    expect(await result).toEqual([50, 2, {}, [5]])
    one.send(6, {}, 'wamp.close.normal')
    expect((await one.heard(6))[2]).toBe('wamp.close.goodbye_and_out')
    await one.join()
    one.drop()
    other.drop()
  })
})
