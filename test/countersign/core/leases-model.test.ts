/**
 * A guard and the sockets that it let in, beside a model of a few lines: whatever is done to them, a socket is open exactly
 * as long as the model says, to the millisecond, and has the reason that the model has.
 */
import * as fc from 'fast-check'
import { test } from 'vitest'
import type { Lease } from '../../../packages/countersign/src/core/lease.ts'
import { query, type RevokeOptions } from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { handshakeOf, knock, openGuard, type Opened } from '../support/guard.ts'

const graceMs = 2_000
const maxLeaseMs = 40_000
const subjects = ['alice', 'bob'] as const
const roles = ['member', 'editor'] as const
const addresses = ['127.0.0.1', '127.0.0.2'] as const

/** Who a ticket is for. */
interface Facts {
  readonly subject: (typeof subjects)[number]
  readonly role: (typeof roles)[number]
  readonly session: string | undefined
}

/** What the model knows of a socket. */
interface Model extends Facts {
  readonly address: (typeof addresses)[number]
  readonly origin: undefined
  readonly neverAfterMs: number
  role: (typeof roles)[number]
  session: string | undefined
  issuedAtMs: number
  untilMs: number
  doomAtMs: number
  ended: boolean
}

interface Pair {
  readonly model: Model
  readonly lease: Lease
}

interface World {
  readonly opened: Opened
  readonly pairs: Pair[]
  /** Marks, as the model remembers them. */
  readonly marks: {
    readonly hits: (model: Model) => boolean
    readonly atMs: number
    readonly always: boolean
  }[]
}

type Step = (world: World) => Promise<void>

function now(world: World): number {
  return world.opened.clock.now()
}

/** The instant from which on nothing may pass. */
function endOf(model: Model): number {
  return Math.min(model.untilMs + graceMs, model.neverAfterMs, model.doomAtMs)
}

function isOpen(world: World, model: Model): boolean {
  if (!model.ended && now(world) >= endOf(model)) model.ended = true
  return !model.ended
}

/** Both sides agree on every socket; asked in the way in which adapters ask, and in the way that costs nothing. */
function check(world: World): void {
  for (const { model, lease } of world.pairs) {
    const open = isOpen(world, model)
    if (lease.over() === open)
      throw new Error(`over() is ${!open ? 'false' : 'true'} where the model differs`)
    if (lease.passes() !== open) throw new Error('passes() differs from the model')
    if (!open !== lease.ended) throw new Error('ended differs from the model')
  }
}

async function ticketAt(world: World, facts: Facts, leaseMs: number): Promise<string> {
  const { subject, role, session } = facts
  const issued = await world.opened.guard.issue.ticket({
    subject,
    roles: [role],
    leaseMs,
    ...(session === undefined ? {} : { session }),
  })
  return `/?ticket=${issued.ticket}`
}

function marked(world: World, model: Model): boolean {
  return world.marks.some(({ hits, atMs, always }) => hits(model) && (always || model.issuedAtMs <= atMs))
}

const connect =
  (facts: Facts, leaseMs: number, address: (typeof addresses)[number]): Step =>
  async (world) => {
    const target = await ticketAt(world, facts, leaseMs)
    const model: Model = {
      ...facts,
      address,
      origin: undefined,
      issuedAtMs: now(world),
      untilMs: now(world) + Math.min(leaseMs, maxLeaseMs),
      neverAfterMs: now(world) + maxLeaseMs,
      doomAtMs: Infinity,
      ended: false,
    }
    const decision = await knock(world.opened.guard, { target, remoteAddress: address })
    if ((decision.kind === 'accepted') === marked(world, model))
      throw new Error('the door differs from the model')
    if (decision.kind !== 'accepted') return
    decision.lease.hold({ warn: () => {}, close: () => {} }, {})
    decision.lease.open()
    world.pairs.push({ model, lease: decision.lease })
  }

const refresh =
  (which: number, change: Facts, leaseMs: number): Step =>
  async (world) => {
    const pair = world.pairs[which % Math.max(1, world.pairs.length)]
    if (pair === undefined) return
    const { model, lease } = pair
    const target = await ticketAt(world, change, leaseMs)
    const handshake = handshakeOf({ target, remoteAddress: addresses[0] })
    const reason = await world.opened.guard.refresh(lease.id, handshake)
    const fresh: Model = { ...model, ...change, issuedAtMs: now(world) }
    const good = isOpen(world, model) && change.subject === model.subject && !marked(world, fresh)
    if ((reason === undefined) !== good) throw new Error(`the refresh differs from the model: ${reason}`)
    if (!good) return
    const { role, session } = change
    const untilMs = Math.min(now(world) + leaseMs, model.neverAfterMs)
    Object.assign(model, { role, session, issuedAtMs: now(world), untilMs, doomAtMs: Infinity })
  }

const wait =
  (ms: number): Step =>
  async (world) =>
    world.opened.clock.advance(ms)

const leave =
  (which: number): Step =>
  async (world) => {
    const pair = world.pairs[which % Math.max(1, world.pairs.length)]
    pair?.lease.leave()
    if (pair !== undefined) pair.model.ended = true
  }

interface Way {
  readonly what: RevokeOptions
  readonly hits: (model: Model) => boolean
  readonly always?: boolean
}

const revoke =
  (way: Way, marginMs: number, agoMs: number | undefined): Step =>
  async (world) => {
    const terms = agoMs === undefined ? {} : { issuedBeforeMs: now(world) - agoMs }
    await world.opened.guard.revoke(way.what, 'revoked', { marginMs, ...terms })
    // What is revoked by its instant alone has it from there.
    const atMs = now(world) - ('issuedBefore' in way.what ? 0 : (agoMs ?? 0))
    const always = way.always ?? false
    world.marks.push({ hits: way.hits, atMs, always })
    for (const { model } of world.pairs) {
      if (!isOpen(world, model) || !way.hits(model)) continue
      if (always || model.issuedAtMs <= atMs) model.doomAtMs = Math.min(model.doomAtMs, now(world) + marginMs)
    }
  }

const facts: fc.Arbitrary<Facts> = fc.record({
  subject: fc.constantFrom(...subjects),
  role: fc.constantFrom(...roles),
  session: fc.constantFrom('s1', 's2', undefined),
})

const ways: fc.Arbitrary<Way> = fc.oneof(
  fc.constantFrom(...subjects).map((subject) => ({
    what: { subject },
    hits: (model: Model) => model.subject === subject,
  })),
  fc.constantFrom(...roles).map((role) => ({ what: { role }, hits: (model: Model) => model.role === role })),
  fc.constantFrom('s1', 's2').map((session) => ({
    what: { session },
    hits: (model: Model) => model.session === session,
    always: true,
  })),
  fc.constantFrom(...addresses).map((address) => ({
    what: { address },
    hits: (model: Model) => model.address === address,
  })),
  fc.constant({ what: { issuedBefore: Number.MAX_SAFE_INTEGER }, hits: () => true }),
)

const lives = fc.integer({ min: 1, max: 60_000 })
const waits = fc.oneof(fc.nat(3), fc.nat(400), fc.nat(30_000))

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(facts, lives, fc.constantFrom(...addresses)).map((a) => connect(...a)) },
  { weight: 4, arbitrary: fc.tuple(fc.nat(20), facts, lives).map((a) => refresh(...a)) },
  { weight: 6, arbitrary: waits.map(wait) },
  { weight: 1, arbitrary: fc.nat(20).map(leave) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(ways, fc.constantFrom(0, 0, 1, 700, 5_000), fc.option(fc.nat(20_000), { nil: undefined }))
      .map((a) => revoke(...a)),
  },
)

test('no sequence of events leaves a socket open past its end, or closes one early', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 40 }), async (list) => {
      const opened = openGuard({
        accept: [ticket({ from: query('ticket') })],
        limits: { graceMs, maxLeaseMs, jitter: 0, warnMs: 1_000 },
      })
      const world: World = { opened, pairs: [], marks: [] }
      for (const step of list) {
        await step(world)
        check(world)
      }
      // Nobody asks any more: the wheel alone ends what is left.
      opened.clock.advance(maxLeaseMs + graceMs)
      if (opened.guard.leases().length > 0) throw new Error('the wheel has forgotten a lease')
      opened.guard.close()
    }),
    { numRuns: Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 1_000) },
  )
})
