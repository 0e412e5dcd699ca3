/** A12: how long a refusal takes tells which names exist. */
import { randomInt } from 'node:crypto'
import type { Check, Finding, Scene } from '../check.ts'
import { knownUsers } from '../needs.ts'
import { channelsOf, unknownNames, type Channel } from '../refusal-channels.ts'
import { median, medianInterval, signedRank, type Interval } from '../statistics.ts'
import { failOr, finding, inconclusive, notTested, pass } from '../verdict.ts'

const defaultPairs = 200
const leastPairs = 50
/** Chance that one comparison cries wolf; a finding takes two in the same direction. */
const alpha = 0.001
/** Chance that names which are both unknown seem to differ by accident. */
const alphaOfNoise = 0.000_01
const bootstrap = { confidence: 0.99, samples: 1_000, random: () => randomInt(2 ** 32) / 2 ** 32 }

/** One comparison: names that exist with others, and others with others. */
interface Measurement {
  readonly kind: 'alike' | 'different' | 'noisy' | 'throttled' | 'too slow'
  /** Of names that exist minus names that do not, milliseconds. */
  readonly difference: number
  readonly interval: Interval
  readonly noise: Interval
  readonly p: number
  readonly pairs: number
}

/** User enumeration by timing. */
export const userTiming: Check = {
  id: 'A12',
  title: 'The time of a refusal tells whether the name exists',
  cwe: [208],
  asvs: ['6.3.8', '11.2.4'],
  safety: 'A',
  needs: [{ missing: 'the option --timing', met: ({ options }) => options.timing === true }, knownUsers],
  lastly: true,
  why: 'Hashing a password takes a tenth of a second. A server that does so only for names that exist answers all others at once, whatever words it uses.',
  remedy: {
    text: 'Do the same work for every name: verify against a hash of a random password with the same settings, and compare digests in constant time. Random delays do not help: they average out.',
    ws: 'const row = (await users.get(name)) ?? decoyRow // a real argon2id hash of a random password\nconst right = await argon2.verify(row.hash, password)\nreturn right && row !== decoyRow',
    socketIo: 'const right = await argon2.verify((row ?? decoyRow).hash, socket.handshake.auth.password)',
    countersign:
      "createGuard({ accept: [password({ from: authorization('Basic') })], passwords: argon2Passwords() })",
  },
  async run(scene) {
    const usable = await usableChannels(scene)
    if (usable.length === 0)
      return notTested(
        'a place that asks for a name: a login form or Basic of "low", WAMP, or challenge frames',
      )
    const findings: Finding[] = []
    const says: string[] = []
    let clear = true
    for (const channel of usable) {
      const measured = await measureTwice(scene, channel, usable.length)
      const last = measured.at(-1)
      if (last === undefined) continue
      says.push(`${channel.name}: ${describe(last)}`)
      if (isTold(measured)) findings.push(findingOf(channel, measured))
      else if (last.kind !== 'alike') clear = false
    }
    return failOr(findings, (clear ? pass : inconclusive)(says.join('; ')))
  },
}

/** Places that answer, and where the name is all that differs. */
async function usableChannels(scene: Scene): Promise<readonly Channel[]> {
  const [known = ''] = scene.options.knownUsers ?? []
  const usable: Channel[] = []
  for (const channel of channelsOf(scene)) {
    const { silent, shape } = await channel.ask(known, { untilChallenge: true })
    const answers = !silent && (channel.counts || shape.startsWith('challenge'))
    if (answers) usable.push(channel)
  }
  return usable
}

/** A second time only where the first one shows something. */
async function measureTwice(
  scene: Scene,
  channel: Channel,
  channels: number,
): Promise<readonly Measurement[]> {
  const first = await measure(scene, channel, (scene.budget.leftMs * 0.4) / channels)
  return first.kind === 'different'
    ? [first, await measure(scene, channel, (scene.budget.leftMs * 0.6) / channels)]
    : [first]
}

function isTold(measured: readonly Measurement[]): boolean {
  const [first, second] = measured
  return (
    first?.kind === 'different' &&
    second?.kind === 'different' &&
    Math.sign(first.difference) === Math.sign(second.difference)
  )
}

/** Asks in rounds of one name that exists and two that do not, each round in an order of its own. */
async function measure(scene: Scene, channel: Channel, withinMs: number): Promise<Measurement> {
  const { knownUsers: names = [], timingPairs } = scene.options
  const wanted = Math.max(leastPairs, timingPairs ?? defaultPairs)
  const strangers = unknownNames(names[0] ?? '', names.length * 2)
  const until = performance.now() + withinMs
  const differences: number[] = []
  const controls: number[] = []
  let throttled = 0
  for (let round = 0; round < wanted && performance.now() < until; round += 1) {
    const at = round % names.length
    const asked = [names[at] ?? '', strangers[at * 2] ?? '', strangers[at * 2 + 1] ?? '']
    const times = [0, 0, 0]
    for (const index of shuffled([0, 1, 2])) {
      const reply = await channel.ask(asked[index] ?? '', { untilChallenge: true })
      times[index] = reply.ms
      if (reply.throttled || reply.silent) throttled += 1
    }
    const [known = 0, unknown = 0, other = 0] = times
    differences.push(known - unknown)
    controls.push(other - unknown)
    if (throttled > 3) break
  }
  return judge(differences, controls, { wanted, throttled: throttled > 3 })
}

function judge(
  differences: readonly number[],
  controls: readonly number[],
  { wanted, throttled }: { readonly wanted: number; readonly throttled: boolean },
): Measurement {
  const interval = medianInterval(differences, bootstrap)
  const noise = medianInterval(controls, bootstrap)
  const difference = median(differences)
  const { p } = signedRank(differences)
  const measured = { difference, interval, noise, p, pairs: differences.length }
  if (throttled) return { ...measured, kind: 'throttled' }
  if (differences.length < wanted) return { ...measured, kind: 'too slow' }
  const floor = Math.max(Math.abs(noise.from), Math.abs(noise.to))
  const clear = p < alpha && (interval.from > 0 || interval.to < 0) && Math.abs(difference) > floor
  if (signedRank(controls).p < alphaOfNoise) return { ...measured, kind: 'noisy' }
  return { ...measured, kind: clear ? 'different' : 'alike' }
}

function shuffled(values: readonly number[]): readonly number[] {
  const rest = [...values]
  return values.flatMap(() => rest.splice(randomInt(rest.length), 1))
}

function describe({ kind, difference, interval, noise, p, pairs }: Measurement): string {
  const ms = (value: number): string => `${value.toFixed(2)} ms`
  const span = ({ from, to }: Interval): string => `${ms(from)} to ${ms(to)}`
  const figures = `over ${pairs} pairs names that exist take ${ms(difference)} more (99 %: ${span(interval)}; among unknown ones ${span(noise)}; p = ${p.toPrecision(2)})`
  if (kind === 'throttled') return `the target slows the scanner down; ${figures}`
  if (kind === 'too slow') return `too few pairs in the time that is left; ${figures}`
  if (kind === 'noisy') return `unknown names differ from each other; ${figures}`
  return figures
}

function findingOf(channel: Channel, measured: readonly Measurement[]): Finding {
  const text = measured.map(describe).join('; and again: ')
  return finding('medium', `${channel.name}: ${text}`, {
    subject: channel.name,
    exchanges: [measured.map((one) => ({ atMs: 0, from: 'note' as const, text: describe(one) }))],
  })
}
