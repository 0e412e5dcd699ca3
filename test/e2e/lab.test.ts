import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { abilities } from '../../packages/server/src/lab/browsers/launch.ts'
import { engines } from '../../packages/server/src/lab/browsers/types.ts'
import { labCases } from '../../packages/server/src/lab/cases.ts'
import type { LabMatrix } from '../../packages/server/src/lab/report.ts'
import { freeBlock } from '../../tools/ports.ts'
import { environment, root } from '../../tools/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-lab-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the built program as a user would. */
async function report(
  engine: string,
): Promise<{ readonly code: number | null; readonly output: string; readonly matrix: LabMatrix }> {
  const file = join(folder, `${engine}.json`)
  const port = await freeBlock(41, 21_000)
  const program = join(root, 'packages/server/dist/cli/main.js')
  const child = spawn(
    process.execPath,
    [program, 'lab', '--report', file, '--engines', engine, '--port', String(port)],
    { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  // The program's own report: the test below fails where its shape is another.
  return { code, output, matrix: JSON.parse(readFileSync(file, 'utf8')) as LabMatrix }
}

describe('the whole matrix of the lab, against the running program', () => {
  for (const engine of engines) {
    it(`ends as expected in ${engine}, slow cases included`, async () => {
      const { code, output, matrix } = await report(engine)
      expect(matrix.disagreements, output).toEqual([])
      expect(matrix.engines.find((one) => one.engine === engine)?.trouble).toBeUndefined()
      const certificates = labCases.filter((one) => one.needs === 'client-certificate').length
      const runnable = labCases.length - (abilities[engine].clientCertificate ? 0 : certificates)
      expect(matrix.measured).toBe(runnable)
      expect(code).toBe(0)
    })
  }
})
