/** The page on another origin: knocks at the lab's doors with whatever the browser adds by itself, and reports how it ended. */
import { knock } from './knock.ts'
import { describeOutcome, type Measured } from './outcome.ts'
import { planAt, publicSubprotocol, withProbe } from './plan.ts'
import { randomText } from './random-text.ts'

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
  if (measured.kind === 'accepted') return 'got in'
  return describeOutcome(measured)
}

/** What the server behind a door wants to be spoken to in. */
const protocolsOf: Readonly<Record<string, readonly string[]>> = {
  D6: [publicSubprotocol],
  D15: ['wamp.2.json'],
}

async function attack(
  target: HostileTarget,
): Promise<{ readonly outcome: Measured; readonly probe: string }> {
  const door = target.id
  const probe = randomText().slice(0, 22)
  write(door, 'knocking …', 'knocking')
  const plan = planAt(door === 'D11' ? 'certificate' : 'nothing', {
    url: withProbe(target.url, probe),
    credential: undefined,
    oldSignature: '',
  })
  const protocols = protocolsOf[door] ?? []
  const visit = await knock({ ...plan, protocols }, { patienceMs, behind: [] })
  visit.close()
  write(door, wordsFor(visit.measured), visit.measured.kind === 'failed' ? 'refused' : 'open')
  return { outcome: visit.measured, probe }
}

async function obey(door: string): Promise<void> {
  const target = targets.find(({ id }) => id === door)
  if (target === undefined) return
  const { outcome, probe } = await attack(target)
  parent.postMessage({ type: 'hostile-result', door, outcome, probe }, lab)
}

addEventListener('message', ({ origin, source, data }: MessageEvent<unknown>) => {
  if (origin !== lab || source !== parent) return
  if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== 'hostile-attack') return
  if ('door' in data && typeof data.door === 'string') void obey(data.door)
})

document
  .getElementById('attack-all')
  ?.addEventListener('click', () => targets.forEach((target) => void attack(target)))

const asked = new URLSearchParams(location.search).get('door')
for (const target of targets) if (asked === 'all' || asked === target.id) void attack(target)
