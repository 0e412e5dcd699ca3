/** Whether a target reads messages carelessly: hands wrong types on to others, sends back what it does not know, splits a text into statements. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from 'countersign/wire'
import { anyMarker, effectMs, fill, newMarker, presentedAs } from './canaries.ts'
import type { Finding, Scene } from './check.ts'
import { say, type Probe } from './dialects/dialect.ts'
import type { Exchange } from './exchange.ts'
import type { Canary } from './options.ts'
import { withTexts, type Sample } from './sample-messages.ts'
import { sideBySide } from './side-by-side.ts'
import { enterAsSomebody } from './staying.ts'

/** The members of a probe, and the probe with others in their place. */
interface Parts {
  readonly members: JsonObject
  with(members: JsonObject): Probe
}

/** Messages of `low` that others hear, with members of a wrong type: found where they arrive as they were. */
export async function relayedWrongly(scene: Scene): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const canary of scene.options.canaries ?? []) {
    const { allowedFor = 'high', seenBy = 'high', effect } = canary
    const parts = partsOf(scene, canary.send)
    if (allowedFor !== 'low' || seenBy !== 'high' || !effect.includes('{marker}') || parts === undefined)
      continue
    const finding = await relay(scene, canary, parts)
    if (finding !== undefined) findings.push(finding)
  }
  return findings
}

function partsOf({ endpoint: { protocol } }: Scene, probe: Probe): Parts | undefined {
  if (typeof probe === 'string') return undefined
  if (protocol === 'plain') return { members: probe, with: (members) => members }
  const given = probe['args'] ?? []
  const args = isJsonArray(given) ? given : [given]
  const [first, ...rest] = args
  if (protocol !== 'socket.io' || !isJsonObject(first)) return undefined
  return { members: first, with: (members) => ({ ...probe, args: [members, ...rest] }) }
}

async function relay(scene: Scene, canary: Canary, parts: Parts): Promise<Finding | undefined> {
  const marked = Object.entries(parts.members).find(
    ([, value]) => typeof value === 'string' && value.includes('{marker}'),
  )
  if (marked === undefined) return undefined
  const wrongs = Object.entries(parts.members).flatMap(([name, value]): readonly Wrong[] => {
    const wrong = wrongFor(value)
    const hidesMarker = name === marked[0] && typeof wrong === 'string'
    return wrong === undefined || hidesMarker ? [] : [{ name, value, wrong }]
  })
  const found = await sideBySide(scene.budget, { items: wrongs, sockets: 2 }, (wrong) =>
    relayOne(scene, canary, { parts, wrong }),
  )
  return found.find((finding) => finding !== undefined)
}

/** A member with a value of another type. */
interface Wrong {
  readonly name: string
  readonly value: Json
  readonly wrong: Json
}

async function relayOne(
  scene: Scene,
  canary: Canary,
  { parts, wrong: { name, value, wrong } }: { readonly parts: Parts; readonly wrong: Wrong },
): Promise<Finding | undefined> {
  const { oracle, dialect, endpoint } = scene
  const listening = await presentedAs(scene, 'high')
  if (listening === undefined) return undefined
  const listener = await oracle.stay(listening)
  const sender = await enterAsSomebody(scene)
  try {
    if (listener.view.kind !== 'open' || sender.view.kind !== 'open') return undefined
    const marker = newMarker()
    const told = JSON.stringify({ [name]: wrong })
      .slice(1, -1)
      .replaceAll('{marker}', marker)
    const probe = fill(parts.with({ ...parts.members, [name]: wrong }), marker)
    say(sender.visit, dialect, { probe, endpoint })
    const heard = await oracle.hear(
      listener.visit,
      (text) => text.includes(marker) && text.includes(told),
      effectMs(scene),
    )
    if (heard === undefined) return undefined
    return {
      says: `“${canary.name}” reaches others with a ${Array.isArray(wrong) ? 'list' : 'text'} as its ${name}, which is a ${typeof value}`,
      severity: 'low',
      confidence: 'high',
      subject: `${canary.name}: ${name}`,
      exchanges: [sender.exchange, listener.exchange],
    }
  } finally {
    await Promise.all([listener.visit.leave(), sender.visit.leave()])
  }
}

/** A value of another type; `undefined` where nothing would prove anything. */
function wrongFor(value: Json): Json | undefined {
  if (typeof value === 'number') return 'no number'
  return typeof value === 'string' && value.includes('{marker}') ? [value] : undefined
}

/** A message of a type that no application has: found where it comes back as it was, though known ones do not. */
export async function sentBack(scene: Scene, sample: Sample): Promise<readonly Finding[]> {
  if (scene.endpoint.protocol !== 'plain' || scene.options.messages === undefined) return []
  const stay = await enterAsSomebody(scene)
  try {
    if (stay.view.kind !== 'open') return []
    const unknown = JSON.stringify({ type: newMarker(), of: 'no application' })
    const comesBack = async (text: string): Promise<boolean> => {
      stay.visit.send(text)
      return (
        (await scene.oracle.hear(stay.visit, (heard) => heard === text, scene.oracle.settleMs)) !== undefined
      )
    }
    if ((await comesBack(sample.text)) || !(await comesBack(unknown))) return []
    return [
      {
        says: 'a message of a type that it does not know is sent back as it came',
        severity: 'low',
        confidence: 'high',
        subject: 'unknown types',
        exchanges: [stay.exchange],
      },
    ]
  } finally {
    await stay.visit.leave()
  }
}

const separators = [';', '\n', '|'] as const

/**
 * A text with a separator and a word behind it, in the place of each text: found where the target does with it what it
 * does with the text alone, and says something of its own about the word; and does nothing of that without the separator.
 */
export async function splitTexts(scene: Scene, sample: Sample): Promise<readonly Finding[]> {
  const usual = await answers(scene, sample.text)
  if (usual.lines.size === 0) return []
  const places = withTexts(sample, '{text}').length
  for (let at = 0; at < places; at++) {
    const findings = await split(scene, { sample, at, usual: usual.lines })
    if (findings.length > 0) return findings
  }
  return []
}

interface Splitting {
  readonly sample: Sample
  /** Which of the texts. */
  readonly at: number
  readonly usual: ReadonlySet<string>
}

async function split(scene: Scene, { sample, at, usual }: Splitting): Promise<readonly Finding[]> {
  const own = ownText(sample, at)
  if (own === undefined) return []
  const trial = (separator: string): Promise<Answered> =>
    answers(scene, withTexts(sample, `${own}${separator}${newMarker()}`)[at] ?? '')
  const [joined, ...apart] = await Promise.all(['x', ...separators].map(trial))
  const telling = [...usual].filter((line) => joined?.lines.has(line) !== true)
  const found = apart.findIndex((one) => isSplit(one, { telling, own }))
  const separator = separators[found]
  if (separator === undefined || !isSplit(await trial(separator), { telling, own })) return []
  return [
    {
      says: `a text is read as several statements where it has ${JSON.stringify(separator)}: what stands behind is read by itself`,
      severity: 'high',
      confidence: 'medium',
      subject: `text ${at + 1}`,
      exchanges: [apart[found]?.exchange ?? []],
    },
  ]
}

function isSplit(
  { lines, raw }: Answered,
  { telling, own }: { readonly telling: readonly string[]; readonly own: string },
): boolean {
  const saysMore = raw.some((line) => line.search(anyMarker) !== -1 && !line.includes(own))
  return saysMore && telling.some((line) => lines.has(line))
}

/** The text itself at one of the places in which `withTexts` puts another. */
function ownText(sample: Sample, at: number): string | undefined {
  const other = newMarker()
  const changed = withTexts(sample, other)[at] ?? ''
  const start = changed.indexOf(`"${other}"`)
  const tail = changed.length - start - other.length - 2
  if (start === -1) return undefined
  try {
    const own: unknown = JSON.parse(sample.text.slice(start, sample.text.length - tail))
    return typeof own === 'string' ? own : undefined
  } catch {
    return undefined
  }
}

interface Answered {
  /** Without what differs each time. */
  readonly lines: ReadonlySet<string>
  readonly raw: readonly string[]
  readonly exchange: Exchange
}

async function answers(scene: Scene, message: string): Promise<Answered> {
  const stay = await enterAsSomebody(scene)
  const raw: string[] = []
  if (stay.view.kind === 'open') {
    stay.visit.send(message)
    await scene.oracle.hear(stay.visit, (text) => raw.push(text) < 0, scene.oracle.settleMs)
  }
  await stay.visit.leave()
  const lines = new Set(raw.map((line) => line.replaceAll(anyMarker, '').replaceAll(/\d+/g, '#')))
  return { lines, raw, exchange: stay.exchange }
}
