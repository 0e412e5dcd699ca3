/** A crowd of clients in a process of its own. Started by `Crowd.start`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { answerQuestions } from './answering.ts'
import { monotonicMs } from './clock.ts'
import type { CrowdQuestions, Gone, Pulse } from './crowd-protocol.ts'
import { CrowdSocket } from './crowd-socket.ts'

const groups = new Map<string, CrowdSocket[]>()
const concurrent = 16
/** How long echoes are waited for when a pulse ends, ms. */
const patienceMs = 1_000

let opened = 0
let endPulse: () => Promise<Pulse> = () => Promise.reject(new Error('there is no pulse'))

answerQuestions<CrowdQuestions>({
  async open({ port, group, targets }) {
    const sockets: CrowdSocket[] = groups.get(group) ?? []
    groups.set(group, sockets)
    const waiting = [...targets]
    const one = async (): Promise<void> => {
      for (let target = waiting.pop(); target !== undefined; target = waiting.pop())
        sockets.push(await CrowdSocket.open(port, target, opened++))
    }
    await Promise.all(Array.from({ length: concurrent }, one))
    return { open: sockets.length }
  },
  pulse({ group, perSecond }) {
    endPulse = pulse(groups.get(group) ?? [], perSecond)
    return undefined
  },
  still: () => endPulse(),
  async gone({ group, withinMs }) {
    const sockets = groups.get(group) ?? []
    const untilMs = monotonicMs() + withinMs
    while (sockets.some(({ endAtMs }) => endAtMs === undefined) && monotonicMs() < untilMs) await sleep(20)
    groups.delete(group)
    return goneOf(sockets)
  },
  async release() {
    for (const sockets of groups.values()) for (const socket of sockets) socket.drop()
    groups.clear()
    await sleep(50)
    return undefined
  },
})

/** @returns what ends it */
function pulse(sockets: readonly CrowdSocket[], perSecond: number): () => Promise<Pulse> {
  const startedAtMs = monotonicMs()
  const dueAtMs: number[] = []
  const delayMs: (number | null)[] = []
  const send = (): void => {
    for (const now = monotonicMs(); ;) {
      const at = dueAtMs.length
      const dueMs = startedAtMs + (at * 1_000) / perSecond
      if (dueMs > now) return
      dueAtMs.push(dueMs)
      delayMs.push(null)
      sockets[at % sockets.length]?.send(() => (delayMs[at] = monotonicMs() - dueMs))
    }
  }
  const timer = setInterval(send, 1)
  return async () => {
    clearInterval(timer)
    const untilMs = monotonicMs() + patienceMs
    while (delayMs.includes(null) && monotonicMs() < untilMs) await sleep(10)
    return { dueAtMs, delayMs }
  }
}

function goneOf(sockets: readonly CrowdSocket[]): Gone {
  const known = (instants: readonly (number | undefined)[]): readonly number[] =>
    instants.filter((instant) => instant !== undefined)
  return {
    closeFrameAtMs: known(sockets.map(({ closeFrameAtMs }) => closeFrameAtMs)),
    endAtMs: known(sockets.map(({ endAtMs }) => endAtMs)),
    open: sockets.filter(({ endAtMs }) => endAtMs === undefined).length,
  }
}
