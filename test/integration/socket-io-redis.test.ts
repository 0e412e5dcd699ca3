/** Two processes that serve Socket.IO as one over a real Redis: by publish and subscribe, and by streams. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { createGuard, firstMessage, type Guard } from 'countersign'
import { ticket } from 'countersign/methods'
import { sqlite } from 'countersign/stores/sqlite'
import { io as connectTo } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { root } from '../../tools/processes.ts'
import { expectIn, listenTo, modes, type Caller, type Mode } from '../countersign/adapters/socket-io-room.ts'
import { until } from '../countersign/support/sockets.ts'
import { startRedis, type RunningRedis } from './support/redis.ts'

interface Node {
  readonly port: number
  readonly child: ChildProcess
}

const folder = mkdtempSync(join(tmpdir(), 'countersign-nodes-'))
const file = join(folder, 'countersign.db')
let redis: RunningRedis
let issuer: Guard

beforeAll(async () => {
  issuer = createGuard({ records: sqlite(file), accept: [ticket({ from: firstMessage() })] })
  redis = await startRedis()
})

afterAll(async () => {
  issuer.close()
  await redis.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function startNode(adapter: string): Promise<Node> {
  const program = join(root, 'test/integration/support/socket-io-redis-server.ts')
  const args = ['--conditions=countersign-source', program, file, redis.socket, adapter]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const port = Number(/^ready (\d+)$/.exec(line)?.[1])
    if (port > 0) return { port, child }
  }
  throw new Error('a node ended before it was ready')
}

/** Both nodes of a `describe`, over one adapter. */
function twoNodes(adapter: 'redis' | 'streams'): readonly [() => Node, () => Node] {
  const nodes: Node[] = []
  beforeAll(async () => {
    nodes.push(...(await Promise.all([startNode(adapter), startNode(adapter)])))
  })
  afterAll(async () => {
    for (const { child } of nodes) {
      const ended = once(child, 'close')
      child.kill()
      await ended
    }
  })
  const node = (index: number) => (): Node => {
    const found = nodes[index]
    if (found === undefined) throw new Error('not started')
    return found
  }
  return [node(0), node(1)]
}

const newTicket = async (subject: string): Promise<string> =>
  (await issuer.issue.ticket({ subject, roles: [], leaseMs: 60_000 })).ticket

/** Asks a node for entry. */
function call({ port }: Node, mode: Mode, auth: object, namespace = ''): Caller {
  const client = connectTo(`http://127.0.0.1:${String(port)}${namespace}`, {
    transports: mode === 'upgrade' ? ['polling', 'websocket'] : [mode],
    forceNew: true,
    reconnection: false,
    auth,
  })
  onTestFinished(() => void client.disconnect())
  return listenTo(client)
}

async function enter(subject: string, node: Node, mode: Mode): Promise<Caller> {
  const caller = call(node, mode, { ticket: await newTicket(subject) })
  await expectIn(caller, mode)
  return caller
}

const notes = ({ events }: Caller): unknown[] =>
  events.flatMap(([name, text]) => (name === 'note' ? [text] : []))

describe.each(['redis', 'streams'] as const)('two servers over the adapter for Redis (%s)', (adapter) => {
  const [one, other] = twoNodes(adapter)

  describe.each(modes)('over %s', (mode) => {
    it('reach the room of a subject on both', async () => {
      const here = await enter('alice', one(), mode)
      const there = await enter('alice', other(), mode)
      const bob = await enter('bob', one(), mode)
      bob.client.emit('broadcast', 'user:alice', 'to both')
      await until(() => notes(here).length > 0 && notes(there).length > 0)
      expect([notes(here), notes(there), notes(bob)]).toEqual([['to both'], ['to both'], []])
    })

    it('tell each other who is connected, and keep their leases to themselves', async () => {
      const carol = await enter('carol', one(), mode)
      const dave = await enter('dave', other(), mode)
      const all: unknown = await dave.client.emitWithAck('who')
      expect(all).toContainEqual({ subject: { id: 'carol' }, lease: false })
      expect(all).toContainEqual({ subject: { id: 'dave' }, lease: true })
      carol.client.disconnect()
    })

    it.each([
      ['revoked', 'revoked'],
      ['logged out', 'logged_out'],
    ])('end at the other the sockets of who is %s, with the reason', async (_what, reason) => {
      const erik = await enter('erik', other(), mode)
      const admin = await enter('admin', one(), mode)
      const witness = await enter('witness', other(), mode)
      expect(await admin.client.emitWithAck('revoke', 'erik', reason)).toBe('done')
      // The news and the notes travel apart: what is behind the news stays away.
      for (let sent = 0; sent < 50; sent++) {
        admin.client.emit('broadcast', 'user:erik', sent)
        admin.client.emit('broadcast', 'user:witness', sent)
        await wait(4)
      }
      await until(() => erik.fate.length > 1 && notes(witness).length === 50)
      expect(erik.events.at(-1)).toEqual(['auth_end', { reason, advice: 'stop' }])
      expect(notes(erik).length).toBeLessThan(40)
      expect(erik.fate).toEqual(['connected', 'io server disconnect'])
    })

    it('disconnect the sockets of a subject at the other', async () => {
      const finn = await enter('finn', one(), mode)
      const bob = await enter('bob', other(), mode)
      bob.client.emit('disconnectAll', 'user:finn')
      await until(() => finn.fate.length > 1)
      expect(finn.fate[1]).toBe('io server disconnect')
    })

    it('let nobody into a namespace without a row, on either', async () => {
      for (const node of [one(), other()]) {
        const auth = { ticket: await newTicket('gina') }
        const caller = call(node, mode, auth, '/open')
        await until(() => caller.fate.length > 0)
        expect(caller.fate).toEqual(['refused: forbidden'])
      }
    })
  })
})

describe('a session that is recovered over the streams of Redis', () => {
  const [one, other] = twoNodes('streams')

  /** Loses the connection as a network does, after one broadcast; a second one is missed. */
  async function lose(
    subject: string,
    mode: Mode,
  ): Promise<{ readonly lost: Caller; readonly admin: Caller }> {
    const lost = await enter(subject, one(), mode)
    const admin = await enter('admin', other(), mode)
    const room = `room-${subject}-${mode}`
    await lost.client.emitWithAck('join', room)
    admin.client.emit('broadcast', room, 'heard')
    await until(() => notes(lost).length > 0)
    lost.client.io.engine.close()
    await until(() => lost.fate.length > 1)
    const connected = async (): Promise<unknown[]> => (await admin.client.emitWithAck('who')) as unknown[]
    await expect.poll(connected).not.toContainEqual({ subject: { id: subject }, lease: false })
    admin.client.emit('broadcast', room, 'missed')
    return { lost, admin }
  }

  /** Comes back by what the client of a session knows of it. */
  function comeBack({ client }: Caller, mode: Mode, auth: object, node = other()): Caller {
    const known = { pid: Reflect.get(client, '_pid'), offset: Reflect.get(client, '_lastOffset') }
    return call(node, mode, { ...known, ...auth })
  }

  it.each(modes)('by another server takes a fresh credential of its subject, over %s', async (mode) => {
    const { lost, admin } = await lose('hana', mode)
    const back = comeBack(lost, mode, { ticket: await newTicket('hana') })
    await until(() => notes(back).length > 0)
    expect(notes(back)).toEqual(['missed'])
    expect(back.fate).toEqual(['connected'])
    await admin.client.emitWithAck('revoke', 'hana', 'revoked')
    await until(() => back.fate.length > 1)
    expect(back.events.at(-1)).toEqual(['auth_end', { reason: 'revoked', advice: 'stop' }])
  })

  it.each<readonly [string, string, () => Promise<object>]>([
    ['without a credential', 'missing_credential', async () => ({})],
    ['for another subject', 'forbidden', async () => ({ ticket: await newTicket('mallory') })],
  ])('by another server is not given %s, nor is what was missed', async (_what, reason, auth) => {
    const { lost } = await lose('ines', 'websocket')
    const back = comeBack(lost, 'websocket', await auth())
    await until(() => back.fate.length > 0)
    await wait(50)
    expect(back.fate).toEqual([`refused: ${reason}`])
    expect(back.events).toEqual([])
  })

  it('by another server is not given to who was revoked meanwhile, for a ticket of before', async () => {
    const former = await newTicket('jana')
    const { lost, admin } = await lose('jana', 'websocket')
    await admin.client.emitWithAck('revoke', 'jana', 'revoked')
    const back = comeBack(lost, 'websocket', { ticket: former })
    await until(() => back.fate.length > 0)
    await wait(50)
    expect(back.fate).toEqual(['refused: invalid_credential'])
    expect(back.events).toEqual([])
  })

  it.each(modes)('by the server that granted its lease keeps it, over %s', async (mode) => {
    const { lost } = await lose('kira', mode)
    const back = comeBack(lost, mode, {}, one())
    await until(() => notes(back).length > 0)
    expect(notes(back)).toEqual(['missed'])
  })

  it('by the server that granted its lease is not given to who was revoked elsewhere', async () => {
    const { lost, admin } = await lose('lena', 'websocket')
    await admin.client.emitWithAck('revoke', 'lena', 'revoked')
    const witness = await enter('lena-too', one(), 'websocket')
    await admin.client.emitWithAck('revoke', 'lena-too', 'revoked')
    await until(() => witness.fate.length > 1)
    const back = comeBack(lost, 'websocket', {}, one())
    await until(() => back.fate.length > 0)
    await wait(50)
    expect(back.fate).toEqual(['refused: missing_credential'])
    expect(back.events).toEqual([])
  })
})
