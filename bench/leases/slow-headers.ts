/** Slow headers by slowhttptest, against the program and beside a Node server as it comes. */
import { spawn, spawnSync } from 'node:child_process'
import type { Part } from '../rig/part.ts'
import { Server } from '../rig/process.ts'
import { startProgram } from '../rig/program-site.ts'
import type { Row } from '../rig/report.ts'
import { readSlowHttpTest, type SlowOutcome } from '../rig/slowhttptest.ts'

const table = 'slow headers'
const connections = 1_000
/** How long the tool goes on at most, seconds. */
const patienceSeconds = 40

/** 1,000 connections that send a header line every ten seconds. */
export const part: Part = {
  name: 'slow headers',
  async *measure() {
    const row: Omit<Row, 'figures' | 'targets'> = {
      bench: 'leases',
      table,
      name: `${connections.toLocaleString('en')} slow connections`,
    }
    if (spawnSync('slowhttptest', ['-h']).error !== undefined) {
      yield { ...row, figures: {}, targets: [], note: 'not measured: slowhttptest is not installed' }
      return
    }
    const site = await startProgram({ accounts: [] })
    const floor = await Server.start({ kind: 'bare', application: 'idle' })
    try {
      const [guarded, bare] = await Promise.all([attack(site.server.port), attack(floor.port)])
      yield {
        ...row,
        figures: {
          'seconds to the last': guarded.emptied ? guarded.seconds : Infinity,
          'floor seconds': bare.emptied ? bare.seconds : Infinity,
          'probes answered': guarded.available ? 1 : 0,
        },
        targets: [{ figure: 'seconds to the last', bound: 20, sense: 'at most' }],
      }
    } finally {
      await Promise.all([site.stop(), floor.stop()])
    }
  },
}

/** Runs the tool to its end; it ends when no connection is left, or when its time is over. */
function attack(port: number): Promise<SlowOutcome> {
  const wishes = ['-c', connections, '-H', '-i', 10, '-r', 200, '-t', 'GET', '-x', 24, '-p', 3]
  const args = [...wishes, '-l', patienceSeconds, '-u', `http://127.0.0.1:${port}/`].map(String)
  const tool = spawn('slowhttptest', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const late = setTimeout(() => tool.kill('SIGKILL'), (patienceSeconds + 20) * 1_000)
  let text = ''
  tool.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return new Promise((resolve, reject) => {
    tool.once('error', reject)
    tool.once('close', () => {
      clearTimeout(late)
      const outcome = readSlowHttpTest(text)
      if (outcome === undefined)
        reject(new Error(`slowhttptest did not say how it ended: ${text.slice(-500)}`))
      else resolve(outcome)
    })
  })
}
