/** The page on another origin: knocks at the lab's doors with whatever the browser adds by itself, and reports how it ended. */
import type { SocketIoWay } from './case.ts'
import { knock, type Knock } from './knock.ts'
import { describeOutcome, type Measured } from './outcome.ts'
import { planAt, publicSubprotocol, withProbe } from './plan.ts'
import { randomText } from './random-text.ts'
import { socketIoPlan } from './socket-io-plan.ts'
import { visitSocketIo } from './socket-io-visit.ts'

interface HostileTarget {
  readonly id: string
  readonly url: string
}

interface HostileData {
  readonly lab: string
  readonly targets: readonly HostileTarget[]
}

const patienceMs = 6_000

function readData(): HostileData {
  const text = document.getElementById('hostile-data')?.textContent ?? ''
  const data: HostileData = JSON.parse(text)
  return data
}

const { lab, targets } = readData()

function write(door: string, words: string, state: string): void {
  const item = document.querySelector(`[data-target="${CSS.escape(door)}"]`)
  const outcome = item?.querySelector('.attempt__outcome')
  if (item instanceof HTMLElement) item.dataset['state'] = state
  if (outcome instanceof HTMLElement) outcome.textContent = words
}

function wordsFor(measured: Measured): string {
  if (measured.kind === 'failed') return `refused, ${measured.code}`
  if (measured.kind === 'unopened') return `refused, ${measured.by}`
  if (measured.kind === 'accepted') return 'got in'
  return describeOutcome(measured)
}

/** What the server behind a door wants to be spoken to in. */
const protocolsOf: Readonly<Record<string, readonly string[]>> = {
  D6: [publicSubprotocol],
  D15: ['wamp.2.json'],
}

/** Clients of Socket.IO begin by polling unless they are told otherwise. */
const usualWay = 'polling'

/** With the browser's cookies, and nothing else. */
function connect(url: string, by: SocketIoWay, probe: string): Promise<Knock> {
  const step = { kind: 'connect', shows: 'cookie', by, at: 'main', event: 'echo', stays: false } as const
  return visitSocketIo(socketIoPlan(step, { url, credential: undefined, probe, ticks: false, patienceMs }))
}

function open(url: string, door: string, probe: string): Promise<Knock> {
  const plan = planAt(door === 'D11' ? 'certificate' : 'nothing', {
    url: withProbe(url, probe),
    credential: undefined,
    oldSignature: '',
  })
  const protocols = protocolsOf[door] ?? []
  return knock({ ...plan, protocols }, { patienceMs, behind: [] })
}

async function attack(
  { id: door, url }: HostileTarget,
  by: SocketIoWay = usualWay,
): Promise<{ readonly outcome: Measured; readonly probe: string }> {
  const probe = randomText().slice(0, 22)
  write(door, 'knocking …', 'knocking')
  const visit = await (door === 'D14' ? connect(url, by, probe) : open(url, door, probe))
  visit.close()
  const { kind } = visit.measured
  write(door, wordsFor(visit.measured), kind === 'failed' || kind === 'unopened' ? 'refused' : 'open')
  return { outcome: visit.measured, probe }
}

async function obey(door: string, by: SocketIoWay): Promise<void> {
  const target = targets.find(({ id }) => id === door)
  if (target === undefined) return
  const { outcome, probe } = await attack(target, by)
  parent.postMessage({ type: 'hostile-result', door, outcome, probe }, lab)
}

addEventListener('message', ({ origin, source, data }: MessageEvent<unknown>) => {
  if (origin !== lab || source !== parent) return
  if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== 'hostile-attack') return
  const by = 'by' in data && data.by === 'websocket' ? 'websocket' : usualWay
  if ('door' in data && typeof data.door === 'string') void obey(data.door, by)
})

document
  .getElementById('attack-all')
  ?.addEventListener('click', () => targets.forEach((target) => void attack(target)))

const asked = new URLSearchParams(location.search).get('door')
for (const target of targets) if (asked === 'all' || asked === target.id) void attack(target)
