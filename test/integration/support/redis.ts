import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A Redis of one test. */
export interface RunningRedis {
  /** Where it listens: a socket in a folder of its own, and no port. */
  readonly socket: string
  readonly stop: () => Promise<void>
}

/** Starts Debian's `redis-server`, which keeps nothing on disk and is reached by its Unix socket alone. */
export async function startRedis(): Promise<RunningRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-redis-'))
  const socket = join(folder, 'redis.sock')
  const settings = { port: '0', unixsocket: socket, unixsocketperm: '700', save: '', appendonly: 'no' }
  const args = Object.entries({ ...settings, dir: folder }).flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn('/usr/bin/redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()))
  const ready = new Promise<void>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => {
      if (/ready to accept connections/i.test(line)) resolve()
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${String(code)}`)))
  })
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  await ready
  return { socket, stop }
}
