/** The program itself as a measured server: composed as `countersign serve` does it, logging as it does by default. */
import { openSync, writeSync } from 'node:fs'
import { greetAndEcho } from '../../packages/server/src/lab/greeting.ts'
import { readConfig } from '../../packages/server/src/server/config.ts'
import { createLog } from '../../packages/server/src/server/log.ts'
import { startServer } from '../../packages/server/src/server/serve.ts'

/** Starts the program. @throws Error when the configuration is wrong */
export async function serveProgram(file: string): Promise<void> {
  const read = readConfig(file)
  if (read.kind === 'wrong') throw new Error(`${file}: ${JSON.stringify(read.findings)}`)
  // Lines are made and written as ever; where they go is not what is measured.
  const nowhere = openSync('/dev/null', 'w')
  const log = createLog({ destination: { write: (line) => void writeSync(nowhere, line) } })
  await startServer(read.config, { log, applications: { echo: greetAndEcho }, key: undefined })
}
