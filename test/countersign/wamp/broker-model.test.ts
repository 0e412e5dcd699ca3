/** The broker against a model that fits on a page: random commands, the same events. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { matches, type Match } from '../../../packages/countersign/src/wamp/uri.ts'
import { BrokerRoom, said, type TestSession } from './broker-room.ts'

const runs = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 1_000)
const guests = 4

const topic = fc
  .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('.'))
const wild = fc
  .array(fc.constantFrom('a', 'b', ''), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('.'))
const pattern = fc.oneof(
  fc.record({ match: fc.constant<Match>('exact'), topic }),
  fc.record({
    match: fc.constant<Match>('prefix'),
    topic: fc.oneof(
      topic,
      topic.map((text) => `${text}.`),
      fc.constant(''),
    ),
  }),
  fc.record({ match: fc.constant<Match>('wildcard'), topic: wild }),
)
const who = fc.nat({ max: guests - 1 })
const ids = fc.array(fc.integer({ min: 1, max: guests }), { maxLength: 2 })
const names = fc.array(fc.constantFrom('ann', 'bea'), { maxLength: 2 })
const options = fc.record(
  {
    exclude_me: fc.boolean(),
    acknowledge: fc.boolean(),
    exclude: ids,
    eligible: ids,
    exclude_authid: names,
    eligible_authid: names,
  },
  { requiredKeys: [] },
)
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), who, pattern }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), who, pattern }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('publish' as const), who, topic, options }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), who }) },
)

interface Row {
  readonly who: number
  readonly topic: string
  readonly match: Match
}

type Given<A> = A extends fc.Arbitrary<infer T> ? T : never
type Options = Given<typeof options>
type Pattern = Given<typeof pattern>
type Command = Given<typeof command>

/** Whether guest number `at`, whose id is one more, is among those a publication is for. */
function isFor(at: number, publisher: number, lists: Options): boolean {
  const id = at + 1
  const authid = at % 2 === 0 ? 'ann' : 'bea'
  if (at === publisher && lists.exclude_me !== false) return false
  if (lists.exclude?.includes(id) === true || lists.exclude_authid?.includes(authid) === true) return false
  if (lists.eligible !== undefined && !lists.eligible.includes(id)) return false
  return lists.eligible_authid === undefined || lists.eligible_authid.includes(authid)
}

/** What happened, and what the model says must have happened. */
type Outcome = readonly [happened: unknown, due: unknown]

/** Broker and rows side by side. */
class Pair {
  readonly #room = new BrokerRoom()
  readonly #sessions: TestSession[] = Array.from({ length: guests }, (_, at) => this.#newcomer(at))
  #rows: Row[] = []
  #spoken = 0

  step(given: Command): Outcome {
    switch (given.kind) {
      case 'subscribe':
        return this.#subscribe(given.who, given.pattern)
      case 'unsubscribe':
        return this.#unsubscribe(given.who, given.pattern)
      case 'publish':
        return this.#publish(given.who, given.topic, given.options)
      case 'leave':
        return this.#leave(given.who)
    }
  }

  /** How many subscriptions there are. */
  count(): Outcome {
    const { exact, prefix, wildcard } = this.#room.broker.list()
    const distinct = new Set(this.#rows.map((row) => `${row.match} ${row.topic}`))
    return [exact.length + prefix.length + wildcard.length, distinct.size]
  }

  #subscribe(at: number, { topic: uri, match }: Pattern): Outcome {
    const id = this.#room.subscribe(this.#session(at), uri, { match })
    if (this.#row(at, uri, match) === undefined) this.#rows.push({ who: at, topic: uri, match })
    return [id, this.#room.broker.lookup(uri, match)]
  }

  #unsubscribe(at: number, { topic: uri, match }: Pattern): Outcome {
    const session = this.#session(at)
    this.#room.unsubscribe(session, this.#room.broker.lookup(uri, match) ?? 99_999)
    const had = this.#row(at, uri, match)
    this.#rows = this.#rows.filter((row) => row !== had)
    return [session.take().map(({ kind }) => kind), [had === undefined ? 'error' : 'unsubscribed']]
  }

  #leave(at: number): Outcome {
    this.#room.leave(this.#session(at))
    this.#sessions[at] = this.#newcomer(at)
    this.#rows = this.#rows.filter((row) => row.who !== at)
    return [undefined, undefined]
  }

  #publish(at: number, uri: string, lists: Options): Outcome {
    const args = [++this.#spoken]
    this.#room.publish(this.#session(at), uri, lists, { args })
    const due = this.#rows
      .filter((row) => matches(row.topic, row.match, uri) && isFor(row.who, at, lists))
      .map((row) => `${row.who} ${this.#room.broker.lookup(row.topic, row.match)} ${this.#spoken}`)
    if (lists.acknowledge === true) due.push(`${at} published`)
    return [this.#heard(), due.toSorted()]
  }

  /** What all were sent: `guest subscription argument`. */
  #heard(): readonly string[] {
    const heard = this.#sessions.flatMap((session, at) =>
      session.take().map((one) => {
        return one.kind === 'event' ? `${at} ${one.subscription} ${String(said(one))}` : `${at} ${one.kind}`
      }),
    )
    return heard.toSorted()
  }

  #row(at: number, uri: string, match: Match): Row | undefined {
    return this.#rows.find((row) => row.who === at && row.topic === uri && row.match === match)
  }

  #newcomer(at: number): TestSession {
    return this.#room.guest(at + 1, { authid: at % 2 === 0 ? 'ann' : 'bea' })
  }

  #session(at: number): TestSession {
    const session = this.#sessions[at]
    if (session === undefined) throw new Error('no such guest')
    return session
  }
}

it('agrees with a model of plain rows', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const pair = new Pair()
      for (const given of commands) {
        const [happened, due] = pair.step(given)
        expect(happened).toEqual(due)
        const [count, distinct] = pair.count()
        expect(count).toBe(distinct)
      }
    }),
    { numRuns: Math.min(runs, 1_000) },
  )
})
