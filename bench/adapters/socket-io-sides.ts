/** Socket.IO servers as contestants of one table: the unguarded one twice, and whatever stands beside it. */
import { Server } from '../rig/process.ts'
import { sessionCookie, type MintOrder, type SocketIoDoor } from '../rig/protocol.ts'
import type { EngineCall } from '../rig/engine-io.ts'

/** A contestant by what its clients show. */
export interface Contender {
  readonly name: string
  readonly door: SocketIoDoor
  readonly shows: MintOrder['what']
  /** Share of the floor; `undefined`: only shown. */
  readonly atLeast: number | undefined
}

/** A contestant whose server runs. */
export interface Side {
  readonly contender: Contender
  readonly server: Server
}

/** The floor, and the floor again. */
export const floors: readonly Contender[] = [
  { name: 'floor', door: 'open', shows: 'ticket', atLeast: undefined },
  { name: 'the floor again', door: 'open', shows: 'ticket', atLeast: undefined },
]

/** Starts a process for each. */
export async function startSides(contenders: readonly Contender[]): Promise<readonly Side[]> {
  const sides: Side[] = []
  for (const contender of contenders)
    sides.push({ contender, server: await Server.start({ kind: 'socket-io', door: contender.door }) })
  return sides
}

/** Calls for as many clients: the same bytes for every server, but for the credential itself. */
export async function callsOf({ contender, server }: Side, count: number): Promise<readonly EngineCall[]> {
  const secrets = await server.ask('mint', { what: contender.shows, count })
  return secrets.map((secret) =>
    contender.shows === 'session'
      ? { port: server.port, auth: '', lines: [`Cookie: ${sessionCookie}=${secret}`] }
      : { port: server.port, auth: JSON.stringify({ token: secret }), lines: [] },
  )
}
