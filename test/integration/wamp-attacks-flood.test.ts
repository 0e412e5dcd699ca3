import { describe, expect, test } from 'vitest'
import { Client } from '../countersign/adapters/wamp-client.ts'
import { openSite, type Site } from '../countersign/adapters/wamp-site.ts'

/** Every pattern of wildcards that covers `com.a1.a2…`. */
function patternsOf(components: number): readonly string[] {
  return Array.from({ length: 2 ** components }, (_, bits) =>
    ['com', ...Array.from({ length: components }, (_, at) => (bits & (1 << at) ? '' : `a${at}`))].join('.'),
  )
}

const components = 9
const topic = ['com', ...Array.from({ length: components }, (_, at) => `a${at}`)].join('.')

async function overlapping(site: Site): Promise<Client> {
  const client = await Client.joined(site)
  const patterns = patternsOf(components)
  for (const [at, pattern] of patterns.entries()) {
    client.send(
      32,
      at + 1,
      { match: pattern.includes('..') || pattern.endsWith('.') ? 'wildcard' : 'exact' },
      pattern,
    )
  }
  await client.answer(patterns.length)
  return client
}

describe('one large event for hundreds of overlapping subscriptions of one session', () => {
  test('costs no more than its queue may hold: the session ends, the others get theirs', async () => {
    const site = await openSite()
    const [greedy, modest, publisher] = [
      await overlapping(site),
      await Client.joined(site),
      await Client.joined(site),
    ]
    await modest.ask(32, {}, topic)
    const before = process.memoryUsage().arrayBuffers
    let peak = 0
    const sample = setInterval(() => (peak = Math.max(peak, process.memoryUsage().arrayBuffers)), 1)
    publisher.send(16, 1, {}, topic, ['x'.repeat(900_000)])
    expect(await modest.heard(36)).toHaveLength(5)
    expect(await greedy.closed()).toMatchObject({ code: 1008, reason: 'slow_consumer' })
    clearInterval(sample)
    expect(greedy.got.filter(([code]) => code === 36).length).toBeLessThan(5)
    expect(peak - before).toBeLessThan(100 * 1_048_576)
  })
})

describe('input that is a bomb', () => {
  const bombs: readonly (readonly [string, string])[] = [
    ['nesting', `[16,1,{},"com.t",${'['.repeat(200_000)}${']'.repeat(200_000)}]`],
    ['nested options', `[16,1,${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)},"com.t"]`],
    ['a number without an end', `[16,${'9'.repeat(500_000)},{},"com.t"]`],
    ['a topic without an end', `[16,1,{"acknowledge":true},"com.${'a.'.repeat(400_000)}b"]`],
    ['a pattern without an end', `[32,1,{"match":"wildcard"},"com.${'.'.repeat(800_000)}"]`],
    [
      'options without an end',
      `[16,1,{${Array.from({ length: 60_000 }, (_, at) => `"k${at}":1`).join()}},"com.t"]`,
    ],
  ]

  test.each(bombs)('of %s is over in a moment, and everyone else goes on', async (_name, text) => {
    const site = await openSite()
    const [bomber, other] = [await Client.joined(site), await Client.joined(site)]
    const startMs = performance.now()
    bomber.web?.send(text)
    bomber.send(48, 2, {}, 'com.nobody')
    const reply = await other.ask(48, {}, 'com.nobody')
    expect(reply).toContain('wamp.error.no_such_procedure')
    expect(performance.now() - startMs).toBeLessThan(1_000)
  })
})

describe('a stranger', () => {
  test('says four kilobytes before its session and no more, in however many frames', async () => {
    const site = await openSite()
    const client = await Client.open(site)
    client.hello({ authmethods: ['ticket'], authid: 'joe', authextra: { fill: 'x'.repeat(5_000) } })
    expect((await client.closed()).code).toBe(1009)
    const chatty = await Client.open(site)
    for (let at = 0; at < 2_000; at++) chatty.web?.ping('x')
    await expect.poll(() => chatty.closedBy?.code ?? 0, { timeout: 3_000 }).toBeGreaterThan(1_000)
  })

  test('learns from no refusal whether a name exists, and leaves no secret in the journal', async () => {
    const site = await openSite()
    const told: unknown[] = []
    for (const authid of ['joe', 'nobody-at-all']) {
      const client = await Client.open(site)
      client.hello({ authmethods: ['ticket'], authid })
      await client.heard(4)
      client.send(5, 'not the ticket hunter2', {})
      told.push(await client.heard(3), await client.closed())
    }
    expect(told.slice(0, 2)).toEqual(told.slice(2))
    expect(JSON.stringify([told, site.journal])).not.toMatch(/hunter2|nobody-at-all|joe/)
  })
})
