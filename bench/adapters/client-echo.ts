/** Echoes of the library's client beside those of the bare WebSocket beneath it: it is the client that is measured. */
import { EchoClients } from '../rig/clients.ts'
import type { BaseKind, EchoOrder } from '../rig/clients-protocol.ts'
import type { Part } from '../rig/part.ts'
import { Server } from '../rig/process.ts'
import type { Row } from '../rig/report.ts'
import { besideFloor, inRounds, type RoundPlan, type RoundSlice } from '../rig/rounds.ts'
import { hmacSigner } from '../rig/tokens.ts'

/** A kind of client. */
interface Contender {
  readonly name: string
  readonly as: EchoOrder['as']
  readonly carrier: EchoOrder['carrier']
  readonly atLeast: number | undefined
}

const contenders: readonly Contender[] = [
  { name: 'bare', as: 'bare', carrier: 'query', atLeast: undefined },
  { name: 'the bare one again', as: 'bare', carrier: 'query', atLeast: undefined },
  { name: 'the least of any class before it', as: 'least', carrier: 'query', atLeast: undefined },
  { name: 'ticket in the query', as: 'CountersignSocket', carrier: 'query', atLeast: 0.97 },
  { name: 'token in the first message', as: 'CountersignSocket', carrier: 'firstMessage', atLeast: 0.97 },
]

const connections = 4
const whole: RoundPlan = { warmUps: 4, rounds: 16, withinMs: 30_000 }
const small: RoundPlan = { warmUps: 2, rounds: 3, withinMs: 10_000 }
const signer = hmacSigner(0)

/** One table for each WebSocket beneath. */
export const parts: readonly Part[] = (['runtime', 'ws'] as const).map((base) => ({
  name: `client: ${base}`,
  async *measure(quick) {
    yield* await measureBase(base, quick)
  },
}))

async function measureBase(base: BaseKind, quick: boolean): Promise<readonly Row[]> {
  const role = { kind: 'client-site', key: signer.key, port: 0 } as const
  const server = await Server.start(role, [], 'generator')
  const clients: EchoClients[] = []
  try {
    for (const contender of contenders) {
      const one = EchoClients.start()
      clients.push(one)
      await one.ask('open', await orderOf(contender, base, server))
    }
    const roundTrips = quick ? 200 : 2_000
    const slices = await inRounds(
      clients.map((one) => () => slice(one, roundTrips)),
      quick ? small : whole,
    )
    return rowsOf(base, slices)
  } finally {
    await Promise.all(clients.map((one) => one.stop()))
    await server.stop()
  }
}

async function orderOf({ as, carrier }: Contender, base: BaseKind, server: Server): Promise<EchoOrder> {
  const credentials =
    carrier === 'query'
      ? await server.ask('mint', { what: 'ticket', count: connections })
      : Array.from({ length: connections }, () => signer.token())
  return { as, base, url: `ws://127.0.0.1:${server.port}/`, carrier, credentials }
}

async function slice(clients: EchoClients, roundTrips: number): Promise<RoundSlice> {
  const { us, elapsedMs } = await clients.ask('exchange', { roundTrips })
  const count = roundTrips * connections
  return { us: us / count, perSecond: (count / elapsedMs) * 1_000, p50Ms: elapsedMs / roundTrips }
}

function rowsOf(base: BaseKind, slices: readonly (readonly RoundSlice[])[]): readonly Row[] {
  const [floor = []] = slices
  const beneath = base === 'runtime' ? 'the runtime’s WebSocket' : 'the package ws'
  return contenders.slice(1).map(({ name, atLeast }, at) => {
    const {
      'p50 ms': ms = NaN,
      'floor p50 ms': floorMs = NaN,
      ...figures
    } = besideFloor(slices[at + 1] ?? [], floor, 'echoes')
    return {
      bench: 'adapters',
      table: `echoes of CountersignSocket over ${beneath}: CPU of the client an echo, beside the bare class`,
      name,
      figures: { ...figures, 'echo ms': ms, 'floor ms': floorMs },
      targets: atLeast === undefined ? [] : [{ figure: 'share', bound: atLeast, sense: 'at least' }],
    }
  })
}
