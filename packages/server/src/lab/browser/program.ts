/** A socket that the lab's server holds at a door that is closed to pages, in place of this page. */
import type { Guest } from './guest.ts'
import { noTicks, type Knock, type Ticks } from './knock.ts'
import { later } from './later.ts'
import { accepted, type Measured } from './outcome.ts'
import { getJson, postJson, type Answer, type Witness } from './site.ts'

/** Between two looks at the program, ms. */
const lookEveryMs = 100

/** Lets the program connect with the guest's credential, and follows it. @throws Error when the lab refuses */
export async function knockByProgram(
  guest: Guest,
  parts: { readonly probe: string; readonly ticks: boolean },
  witness: Witness,
): Promise<Knock> {
  const path = `/lab/guests/${guest.id}/program`
  const text = guest.credential.kind === 'text' ? guest.credential.text : ''
  const ticks = noTicks()
  const first = await postJson(path, { api_key: text, ...parts }, witness)
  const closed = later<Measured>()
  const measured = outcomeOf(first) ?? accepted
  const follow = async (): Promise<void> => {
    try {
      const answer = await getJson(path)
      noteTicks(ticks, answer['ticks'])
      const ended = outcomeOf(answer)
      if (ended === undefined) setTimeout(() => void follow(), lookEveryMs)
      else closed.resolve(ended)
    } catch {
      closed.resolve({ kind: 'unsettled', why: 'the program is gone' })
    }
  }
  void follow()
  return {
    measured,
    frames: [],
    protocol: '',
    greeted: String(first['greeted']),
    signature: '',
    realShape: undefined,
    closed: closed.promise,
    ticks,
    answers: async () => (await getJson(`${path}?ask=1`))['answers'] === true,
    line: undefined,
    close: () => undefined,
  }
}

/** `undefined` while it is open. */
function outcomeOf({ open, code, reason }: Answer): Measured | undefined {
  if (open === true) return undefined
  if (code === 1006) return { kind: 'failed', code }
  return { kind: 'closed', code: Number(code), reason: String(reason) }
}

function noteTicks(ticks: Ticks, told: unknown): void {
  if (typeof told !== 'object' || told === null) return
  const { count, last, left_ms: leftMs }: Answer = { ...told }
  ticks.count = Number(count)
  ticks.last = Number(last)
  ticks.leftMs = Number(leftMs)
  ticks.atMs = Date.now()
}
