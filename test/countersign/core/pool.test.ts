import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Pool, type PoolLimits, type Waiting } from '../../../packages/countersign/src/core/pool.ts'

interface Guest extends Waiting {
  readonly name: string
}

const roomy: PoolLimits = { total: 4, perSource: 4, perSubnet: 4, talking: 2 }

/** A waiting room with a list of those who had to make room; `a1` is the first socket of source `a`. */
function room(limits: Partial<PoolLimits> = {}): {
  readonly pool: Pool
  readonly evicted: string[]
  readonly guest: (name: string, sinceMs?: number, subnet?: string) => Guest
} {
  const evicted: string[] = []
  const pool = new Pool({ ...roomy, ...limits })
  const guest = (name: string, sinceMs = 0, subnet?: string): Guest => {
    const source = name.charAt(0)
    return { name, source, subnet: subnet ?? source, sinceMs, evict: () => void evicted.push(name) }
  }
  return { pool, evicted, guest }
}

describe('the pool', () => {
  test('counts who enters, speaks and leaves', () => {
    const { pool, guest } = room()
    const one = guest('a1')
    expect(pool.enter(one)).toBe(true)
    expect(pool.speak(one)).toBe(true)
    expect(pool.speak(one)).toBe(true)
    expect(pool.size).toBe(1)
    pool.leave(one)
    pool.leave(one)
    expect(pool.size).toBe(0)
  })

  test('does not let those speak who are not in', () => {
    const { pool, guest } = room()
    expect(pool.speak(guest('a1'))).toBe(false)
  })

  test('drops the oldest silent socket of the source that holds most', () => {
    const { pool, evicted, guest } = room()
    for (const name of ['b1', 'a1', 'a2', 'a3']) pool.enter(guest(name))
    expect(pool.enter(guest('c1', 2_000))).toBe(true)
    expect(evicted).toEqual(['a1'])
    expect(pool.size).toBe(4)
  })

  test('drops, of sources that hold the same, one of the subnet that holds most', () => {
    const { pool, evicted, guest } = room()
    pool.enter(guest('z1'))
    for (const name of ['a1', 'b1', 'c1']) pool.enter(guest(name, 0, 'crowd'))
    expect(pool.enter(guest('d1', 2_000))).toBe(true)
    expect(evicted).toEqual(['a1'])
  })

  test('drops, of sources and subnets that hold the same, the oldest', () => {
    const { pool, evicted, guest } = room()
    for (const [name, since] of [
      ['a1', 30],
      ['b1', 10],
      ['c1', 20],
      ['d1', 40],
    ] as const)
      pool.enter(guest(name, since))
    pool.enter(guest('e1', 2_000))
    expect(evicted).toEqual(['b1'])
  })

  test('drops nobody younger than a second for a source that holds as much itself', () => {
    const { pool, evicted, guest } = room()
    for (const name of ['a1', 'a2', 'b1', 'b2']) pool.enter(guest(name, 1_000))
    expect(pool.enter(guest('b3', 1_999))).toBe(false)
    expect(evicted).toEqual([])
    expect(pool.enter(guest('b3', 2_000))).toBe(true)
    expect(evicted).toEqual(['a1'])
  })

  test('lets a newcomer in at once when one greedy source has filled it', () => {
    const { pool, evicted, guest } = room()
    for (const name of ['a1', 'a2', 'a3', 'a4']) pool.enter(guest(name, 1_000))
    expect(pool.enter(guest('b1', 1_001))).toBe(true)
    expect(evicted).toEqual(['a1'])
  })

  test('turns over once a second at most where everybody holds one, so that each has a second to speak', () => {
    const { pool, evicted, guest } = room()
    const sources = 'abcdefghijklmnop'
    const comes = (at: number): boolean => pool.enter(guest(`${sources.charAt(at)}1`, 5_000 + at))
    expect([0, 1, 2, 3].map(comes)).toEqual([true, true, true, true])
    expect([4, 5, 6, 7, 8, 9].map(comes)).toEqual([true, true, true, true, false, false])
    expect(evicted).toEqual(['a1', 'b1', 'c1', 'd1'])
    expect(pool.enter(guest('k1', 6_000))).toBe(true)
  })

  test('makes room for a newcomer however fast, where one source holds more than it would', () => {
    const { pool, evicted, guest } = room({ total: 2 })
    for (const name of ['a1', 'a2']) pool.enter(guest(name))
    for (const name of ['b1', 'c1', 'd1']) {
      const one = guest(name, 1)
      expect(pool.enter(one)).toBe(true)
      pool.leave(one)
      pool.enter(guest(`a${name}`, 1))
    }
    expect(evicted).toHaveLength(3)
  })

  test('lets the only source there is replace its own, however young', () => {
    const { pool, evicted, guest } = room()
    for (const name of ['a1', 'a2', 'a3', 'a4']) pool.enter(guest(name, 1_000))
    expect(pool.enter(guest('a5', 1_001))).toBe(true)
    expect(evicted).toEqual(['a1'])
  })

  test('makes a source that has used up its share replace its own', () => {
    const { pool, evicted, guest } = room({ perSource: 2 })
    for (const name of ['a1', 'a2', 'b1', 'a3']) pool.enter(guest(name))
    expect(evicted).toEqual(['a1'])
    expect(pool.size).toBe(3)
  })

  test('counts those who speak in the share of their source', () => {
    const { pool, guest } = room({ perSource: 2 })
    for (const name of ['a1', 'a2']) {
      const one = guest(name)
      pool.enter(one)
      pool.speak(one)
    }
    expect(pool.enter(guest('a3'))).toBe(false)
    expect(pool.enter(guest('b1'))).toBe(true)
  })

  test('makes a subnet that has used up its share replace its own', () => {
    const { pool, evicted, guest } = room({ perSubnet: 2 })
    pool.enter(guest('z1'))
    for (const name of ['a1', 'b1', 'c1']) pool.enter(guest(name, 0, 'net'))
    expect(evicted).toEqual(['a1'])
  })

  test('refuses a subnet whose share is all in conversation', () => {
    const { pool, guest } = room({ perSubnet: 1 })
    const one = guest('a1', 0, 'net')
    pool.enter(one)
    pool.speak(one)
    expect(pool.enter(guest('b1', 0, 'net'))).toBe(false)
  })

  test('has fewer places for those who speak than for those who wait', () => {
    const { pool, guest } = room({ talking: 1 })
    const [one, two] = [guest('a1'), guest('b1')]
    for (const each of [one, two]) pool.enter(each)
    expect(pool.speak(one)).toBe(true)
    expect(pool.speak(two)).toBe(false)
    pool.leave(one)
    expect(pool.speak(two)).toBe(true)
  })

  /** Lets so many of a source speak, all at 0. */
  const talk = (pool: Pool, guest: (name: string) => Guest, names: readonly string[]): void => {
    for (const name of names) {
      const one = guest(name)
      pool.enter(one)
      pool.speak(one)
    }
  }

  test('gives the place of the greediest source in conversation to one that holds fewer', () => {
    const { pool, evicted, guest } = room({ total: 9, talking: 4 })
    talk(pool, guest, ['b1', 'a1', 'a2', 'a3'])
    const newcomer = guest('c1')
    pool.enter(newcomer)
    expect(pool.speak(newcomer)).toBe(true)
    expect(evicted).toEqual(['a1'])
    expect(pool.size).toBe(4)
  })

  test('gives the place of the oldest in conversation away after a second, where all sources hold the same', () => {
    const { pool, evicted, guest } = room({ total: 9, talking: 2 })
    talk(pool, guest, ['a1', 'b1'])
    const [young, later] = [guest('c1', 999), guest('c2', 1_000)]
    for (const one of [young, later]) pool.enter(one)
    expect([pool.speak(young), evicted]).toEqual([false, []])
    expect([pool.speak(later), evicted]).toEqual([true, ['a1']])
  })

  test('makes a source that holds most of the conversations wait for its own', () => {
    const { pool, evicted, guest } = room({ total: 9, talking: 2 })
    talk(pool, guest, ['a1', 'a2'])
    const own = guest('a3', 10)
    pool.enter(own)
    expect([pool.speak(own), evicted]).toEqual([false, []])
  })

  test('drops nobody in conversation for the silent: full of those, it refuses', () => {
    const { pool, guest } = room({ total: 2 })
    for (const name of ['a1', 'b1']) {
      const one = guest(name)
      pool.enter(one)
      pool.speak(one)
    }
    expect(pool.enter(guest('c1', 9_000))).toBe(false)
  })

  test('counts refused sockets until they are closed', () => {
    const { pool, guest } = room({ total: 2 })
    const socket = {}
    expect(pool.occupy(socket)).toBe(true)
    expect(pool.crowded).toBe(true)
    pool.enter(guest('a1'))
    expect(pool.occupy({})).toBe(false)
    pool.vacate(socket)
    expect(pool.size).toBe(1)
    expect(pool.occupy({})).toBe(true)
  })

  test('sends everyone away when it closes, whether silent or speaking', () => {
    const { pool, evicted, guest } = room()
    const speaking = guest('b1')
    for (const one of [guest('a1'), speaking, guest('a2')]) pool.enter(one)
    pool.speak(speaking)
    pool.close()
    expect(evicted.toSorted()).toEqual(['a1', 'a2', 'b1'])
    expect(pool.size).toBe(0)
  })

  test('is crowded from half full', () => {
    const { pool, guest } = room()
    pool.enter(guest('a1'))
    expect(pool.crowded).toBe(false)
    pool.enter(guest('a2'))
    expect(pool.crowded).toBe(true)
  })
})

type Act =
  | { readonly kind: 'enter'; readonly source: number; readonly afterMs: number }
  | { readonly kind: 'speak' | 'leave' | 'close' | 'closed'; readonly which: number }

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('enter' as const), source: fc.nat(5), afterMs: fc.nat(900) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('speak' as const, 'leave' as const, 'close' as const, 'closed' as const),
        which: fc.nat(30),
      }),
    },
  ),
  { maxLength: 80 },
)

const limits: fc.Arbitrary<PoolLimits> = fc.record({
  total: fc.integer({ min: 1, max: 8 }),
  perSource: fc.integer({ min: 1, max: 4 }),
  perSubnet: fc.integer({ min: 1, max: 6 }),
  talking: fc.nat(4),
})

describe('whoever comes and goes', () => {
  test('no cap is ever exceeded, and only the oldest of its sort and source is dropped', () => {
    fc.assert(
      fc.property(limits, acts, (caps, list) => {
        const pool = new Pool(caps)
        const present: { readonly guest: Guest; talking: boolean }[] = []
        /** Those that speak, in the order in which they began. */
        const conversations: { readonly guest: Guest; talking: boolean }[] = []
        const closing: object[] = []
        /** Whether room is being made for a conversation. */
        let speaking = false
        let now = 0
        let count = 0
        const held = (of: (guest: Guest) => boolean): number =>
          present.filter(({ guest }) => of(guest)).length
        for (const act of list) {
          if (act.kind === 'enter') {
            now += act.afterMs
            const source = String(act.source)
            const guest: Guest = {
              name: String(count++),
              source,
              subnet: String(act.source >> 1),
              sinceMs: now,
              evict() {
                const at = present.findIndex((one) => one.guest === guest)
                const entry = present[at]
                if (entry === undefined) throw new Error('dropped who is not in')
                if (entry.talking !== speaking) throw new Error('dropped one of the wrong sort')
                const older = (speaking ? conversations : present.slice(0, at)).find(
                  (one) => one.talking === speaking && one.guest.source === source,
                )
                if (older !== undefined && older !== entry) throw new Error('dropped a younger one')
                conversations.splice(conversations.indexOf(entry), speaking ? 1 : 0)
                present.splice(at, 1)
              },
            }
            if (pool.enter(guest)) present.push({ guest, talking: false })
          } else if (act.kind === 'close') {
            const socket = {}
            if (pool.occupy(socket)) closing.push(socket)
          } else if (act.kind === 'closed') {
            const socket = closing.shift()
            if (socket !== undefined) pool.vacate(socket)
          } else {
            const entry = present[act.which % Math.max(1, present.length)]
            if (entry === undefined) continue
            if (act.kind === 'speak') {
              const before = entry.talking
              speaking = true
              entry.talking = pool.speak(entry.guest)
              speaking = false
              if (entry.talking && !before) conversations.push(entry)
            } else {
              pool.leave(entry.guest)
              if (entry.talking) conversations.splice(conversations.indexOf(entry), 1)
              present.splice(present.indexOf(entry), 1)
            }
          }
          if (pool.size !== present.length + closing.length) throw new Error('lost count')
          if (pool.size > caps.total) throw new Error('more than all')
          if (present.filter((one) => one.talking).length > caps.talking) throw new Error('too many speak')
          for (const { guest } of present) {
            if (held((one) => one.source === guest.source) > caps.perSource)
              throw new Error('too many of a source')
            if (held((one) => one.subnet === guest.subnet) > caps.perSubnet)
              throw new Error('too many of a subnet')
          }
        }
      }),
      { numRuns: 3_000 },
    )
  })
})
