import type { Belongings } from './belongings.ts'
import { start, type ProgramEnv } from './program.ts'

/** Starts a virtual screen on a display number of its own choosing; gives the value for DISPLAY. */
export async function startDisplay(path: string, env: ProgramEnv, belongings: Belongings): Promise<string> {
  const args = ['-displayfd', '3', '-screen', '0', '2000x2000x24', '-nolisten', 'tcp', '-noreset']
  const number = await start(path, args, { env, belongings }).says(/^(\d+)\n/m)
  return `:${number}`
}
