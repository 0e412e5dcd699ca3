import { spawn, type ChildProcess } from 'node:child_process'
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

const folder = mkdtempSync(join(tmpdir(), 'countersign-cluster-'))
const ports: number[] = []
let child: ChildProcess
let issuer: Guard

beforeAll(async () => {
  const file = join(folder, 'countersign.db')
  issuer = createGuard({ records: sqlite(file), accept: [ticket({ from: firstMessage() })] })
  const program = join(root, 'test/integration/support/socket-io-server.ts')
  child = spawn(process.execPath, ['--conditions=countersign-source', program, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  for await (const line of lines) {
    ports.push(Number(/^ready (\d+)$/.exec(line)?.[1]))
    if (ports.length === 2) break
  }
})

afterAll(() => {
  issuer.close()
  child.kill()
  rmSync(folder, { recursive: true, force: true })
})

async function enter(subject: string, node: 0 | 1, mode: Mode): Promise<Caller> {
  const issued = await issuer.issue.ticket({ subject, roles: [], leaseMs: 60_000 })
  const client = connectTo(`http://127.0.0.1:${String(ports[node])}`, {
    transports:
      mode === 'polling' ? ['polling'] : mode === 'websocket' ? ['websocket'] : ['polling', 'websocket'],
    forceNew: true,
    reconnection: false,
    auth: { ticket: issued.ticket },
  })
  onTestFinished(() => void client.disconnect())
  const caller = listenTo(client)
  await expectIn(caller, mode)
  return caller
}

const notes = ({ events }: Caller): unknown[] =>
  events.flatMap(([name, text]) => (name === 'note' ? [text] : []))

describe.each(modes)('two servers over the cluster adapter, over %s', (mode) => {
  it('reach the rooms of a subject from either', async () => {
    const alice = await enter('alice', 0, mode)
    const bob = await enter('bob', 1, mode)
    bob.client.emit('broadcast', 'user:alice', 'from the other')
    await until(() => notes(alice).length > 0)
    expect(notes(alice)).toEqual(['from the other'])
    expect(notes(bob)).toEqual([])
  })

  it('tell each other who is connected, and keep their leases to themselves', async () => {
    const carol = await enter('carol', 0, mode)
    const bob = await enter('bob', 1, mode)
    const all: unknown = await bob.client.emitWithAck('who')
    expect(all).toContainEqual({ subject: { id: 'carol' }, lease: false })
    expect(all).toContainEqual({ subject: { id: 'bob' }, lease: true })
    carol.client.disconnect()
  })

  it('deliver nothing to whose lease has ended, from whichever server it is sent', async () => {
    const dora = await enter('dora', 0, mode)
    const bob = await enter('bob', 1, mode)
    expect(await bob.client.emitWithAck('revoke', 'dora')).toBe('done')
    // Marks of another process are met by a look at the records.
    const witness = await enter('witness', 0, mode)
    await witness.client.emitWithAck('recheck')
    bob.client.emit('broadcast', 'user:dora', 'too late')
    bob.client.emit('broadcast', 'user:witness', 'still here')
    await until(() => notes(witness).length > 0 && dora.fate.length > 1)
    await wait(50)
    expect(dora.events).toEqual([['auth_end', { reason: 'revoked', advice: 'stop' }]])
  })

  it('disconnect the sockets of a subject at the other', async () => {
    const erik = await enter('erik', 0, mode)
    const bob = await enter('bob', 1, mode)
    bob.client.emit('disconnectAll', 'user:erik')
    await until(() => erik.fate.length > 1)
    expect(erik.fate[1]).toBe('io server disconnect')
  })
})
