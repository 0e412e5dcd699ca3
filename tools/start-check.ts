import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { environment, root } from './processes.ts'
import { freeBlock, listeners } from './ports.ts'

const blockSize = 41
const readyWithinMs = 180_000
const stoppedWithinMs = 20_000

interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** Starts the lab as a person does, probes it, ends it with a signal, and sees that nothing is left of it. */
async function check(signal: NodeJS.Signals): Promise<void> {
  const port = await freeBlock(blockSize)
  const child = spawn('npm', ['start', '--', '--port', String(port)], {
    cwd: root,
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const exit = new Promise<Exit>((resolve) => child.once('exit', (code, by) => resolve({ code, signal: by })))
  try {
    await within(
      readyWithinMs,
      'the lab did not become ready',
      Promise.race([ready(child, port), failOn(exit)]),
    )
    for (const path of ['/', '/lab/doors.json', '/healthz'])
      await probe(`http://localhost:${String(port)}${path}`)
    child.kill(signal)
    const { code, signal: by } = await within(stoppedWithinMs, `the lab outlived ${signal}`, exit)
    if (code !== 0) throw new Error(`after ${signal} npm start ended with ${String(code ?? by)} instead of 0`)
    const left = await listeners(port, blockSize)
    if (left.length > 0) throw new Error(`after ${signal} something still listens on ${left.join(', ')}`)
    console.log(`started on ${String(port)}, answered, and ended cleanly by ${signal}`)
  } finally {
    killGroup(child)
  }
}

function ready(child: ChildProcess, port: number): Promise<void> {
  const line = `ready http://localhost:${String(port)}/`
  return new Promise((resolve) => {
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      process.stdout.write(chunk)
      output = (output + chunk).slice(-8_192)
      if (output.split(/\r?\n/).includes(line)) resolve()
    })
  })
}

async function failOn(exit: Promise<Exit>): Promise<never> {
  const { code, signal } = await exit
  throw new Error(`npm start ended with ${String(code ?? signal)} before it was ready`)
}

async function probe(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
  await response.arrayBuffer()
  if (response.status !== 200) throw new Error(`${url} answered ${String(response.status)}`)
  console.log(`${url} answered 200`)
}

async function within<T>(limitMs: number, message: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${message} within ${String(limitMs / 1_000)} s`)), limitMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** What a failed check leaves behind must not hold its ports. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The whole group has ended: that is what was wanted.
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) await check(signal)
