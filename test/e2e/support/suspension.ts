import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch } from '../../../packages/server/src/lab/browsers/launch.ts'
import type { Browser, Engine } from '../../../packages/server/src/lab/browsers/types.ts'
import { processesMentioning } from './processes.ts'

/** A browser whose processes can be stopped and woken together, as a machine's are when it sleeps. */
export interface Sleeper {
  readonly browser: Browser
  /** Stops every process of the browser. */
  readonly fallAsleep: () => void
  readonly wake: () => void
  readonly close: () => Promise<void>
}

/** Starts a browser in a folder of its own, by which its processes are known. */
export async function launchSleeper(engine: Engine): Promise<Sleeper> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-sleeper-'))
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  const signal = (name: NodeJS.Signals): void => {
    for (const found of processesMentioning(folder)) {
      try {
        process.kill(Number(found.split(' ')[0]), name)
      } catch {
        // ESRCH: it has ended meanwhile.
      }
    }
  }
  try {
    const browser = await launch(engine, {})
    return {
      browser,
      fallAsleep: () => signal('SIGSTOP'),
      wake: () => signal('SIGCONT'),
      close: async () => {
        signal('SIGCONT')
        await browser.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}
