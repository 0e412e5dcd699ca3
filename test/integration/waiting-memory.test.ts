import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { environment, root } from '../../tools/processes.ts'
import { opening } from './support/attacker.ts'

const sockets = 4_000

/** What a server holds, by its own word. */
interface Held {
  readonly waiting: number
  readonly heapUsed: number
  readonly external: number
}

/** Bytes for each socket. */
interface Cost {
  readonly heap: number
  readonly external: number
}

/** Opens a socket that says nothing after its handshake, and waits until it is open. */
async function fallSilent(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  // Whoever is sent away may be reset.
  socket.on('error', () => undefined)
  socket.write(opening(port))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error('not upgraded')
  return socket
}

/** A server in a process of its own. */
async function serverOf(kind: 'guarded' | 'bare'): Promise<{
  readonly port: number
  /** What it holds, once this many wait there. */
  held(waiting: number): Promise<Held>
}> {
  const program = join(root, 'test/integration/support/waiting-server.ts')
  const child = spawn(process.execPath, ['--expose-gc', '--conditions=countersign-source', program, kind], {
    cwd: root,
    env: environment({ NODE_NO_WARNINGS: '1' }),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const read = async (): Promise<string> => String((await lines.next()).value)
  return {
    port: Number(await read()),
    async held(waiting) {
      child.stdin.write('measure\n')
      // The shape is that of `waiting-server.ts`.
      const held = JSON.parse(await read()) as Held
      expect(held.waiting).toBe(waiting)
      return held
    },
  }
}

/** Opens so many silent sockets, a hundred at a time; they are closed when the test is over. */
async function openSilent(port: number, count: number): Promise<readonly Socket[]> {
  const open: Socket[] = []
  for (let at = 0; at < count; at += 100)
    open.push(...(await Promise.all(Array.from({ length: 100 }, () => fallSilent(port)))))
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
  })
  return open
}

/** What each of so many silent sockets costs, beside the first thousand, which warm the server up. */
async function costOf(kind: 'guarded' | 'bare'): Promise<Cost> {
  const server = await serverOf(kind)
  await openSilent(server.port, 1_000)
  const before = await server.held(1_000)
  await openSilent(server.port, sockets)
  return costBetween(before, await server.held(1_000 + sockets), sockets)
}

function costBetween(before: Held, after: Held, count: number): Cost {
  return {
    heap: (after.heapUsed - before.heapUsed) / count,
    external: (after.external - before.external) / count,
  }
}

const show = (cost: Cost): string => `${cost.heap.toFixed(0)} B heap, ${cost.external.toFixed(0)} B external`

describe('a socket that waits for acceptance', () => {
  it('and says nothing costs at most 6 KiB of memory more than an open socket of a bare ws server', async () => {
    const [bare, guarded] = [await costOf('bare'), await costOf('guarded')]
    console.log(`bare: ${show(bare)}; guarded: ${show(guarded)}`)
    expect(guarded.heap + guarded.external - bare.heap - bare.external).toBeLessThan(6_144)
    // And in all, whatever the other costs.
    expect(guarded.heap + guarded.external).toBeLessThan(12_288)
  })

  it('and sends its message a byte at a time, each in a packet of its own, costs at most 32 KiB', async () => {
    const server = await serverOf('guarded')
    await openSilent(server.port, 1_000)
    const before = await server.held(1_000)
    const dripping = await openSilent(server.port, 200)
    // A text of 4,000 bytes, of which one never comes.
    for (const socket of dripping) {
      socket.setNoDelay(true)
      socket.write(Buffer.from([0x81, 0xfe, 0x0f, 0xa0, 0, 0, 0, 0]))
    }
    const drip = async (bytes: number): Promise<void> => {
      for (let sent = 0; sent < bytes; sent++) {
        for (const socket of dripping) if (socket.writable) socket.write('a')
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
    // As many packets as may come: each counts 64 bytes of the 4,096.
    await drip(62)
    const cost = costBetween(before, await server.held(1_200), dripping.length)
    console.log(`dripping: ${show(cost)}`)
    expect(cost.heap + cost.external).toBeLessThan(32_768)
    await drip(1_000)
    await server.held(1_000)
  })
})
