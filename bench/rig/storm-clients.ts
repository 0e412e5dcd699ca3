/** A crowd of the library's own clients, as pages of one origin are. Started by `StormClients.start`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CountersignSocket, firstMessage } from 'countersign/client'
import { answerQuestions } from './answering.ts'
import { pageSocket } from './bases.ts'
import { monotonicMs } from './clock.ts'
import type { StormOrder, StormQuestions } from './clients-protocol.ts'

/** One client and when it asked for tokens. */
interface Member {
  readonly socket: CountersignSocket
  readonly attemptsAtMs: number[]
}

const members: Member[] = []
/** Clients that are opened at a time. */
const concurrent = 16

answerQuestions<StormQuestions>({
  async gather(order) {
    let next = 0
    const one = async (): Promise<void> => {
      for (let at = next++; at < order.tokens.length; at = next++) await join(order, at)
    }
    await Promise.all(Array.from({ length: concurrent }, one))
    return undefined
  },
  state: () => ({
    open: members.filter(({ socket }) => socket.readyState === CountersignSocket.OPEN).length,
    closed: members.filter(({ socket }) => socket.readyState === CountersignSocket.CLOSED).length,
    attempts: members.reduce((sum, { attemptsAtMs }) => sum + attemptsAtMs.length, 0),
  }),
  firstAttempts: ({ sinceMs }) =>
    members.flatMap(({ attemptsAtMs }) => attemptsAtMs.find((atMs) => atMs >= sinceMs) ?? []),
})

async function join({ port, first, tokens }: StormOrder, at: number): Promise<void> {
  const own = tokens[at] ?? []
  const attemptsAtMs: number[] = []
  const carrier = firstMessage(() => {
    attemptsAtMs.push(monotonicMs())
    return own[Math.min(attemptsAtMs.length, own.length) - 1] ?? ''
  })
  const socket = new CountersignSocket(`ws://127.0.0.1:${port}/?client=${first + at}`, {
    carrier,
    WebSocket: pageSocket,
  })
  members.push({ socket, attemptsAtMs })
  while (socket.readyState === CountersignSocket.CONNECTING) await sleep(5)
  if (socket.readyState !== CountersignSocket.OPEN) throw new Error(`client ${first + at} was not let in`)
}
