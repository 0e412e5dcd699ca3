/** What every target of this folder does: takes packages from the fixture's own folder, listens, and says where. */
import { createRequire } from 'node:module'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AuditOptions } from '../../../packages/server/src/audit/options.ts'

/** Packages that are installed beside their other versions. */
export const load: NodeJS.Require = createRequire(new URL('../packages/package.json', import.meta.url))

/** Which of the two is asked for: the first argument of the program. */
export const age: string = process.argv[2] ?? 'new'

/** Tells the parent where to knock, and ends when the parent is gone. */
export function ready(port: number, path: string, options: AuditOptions): void {
  process.on('disconnect', () => process.exit(0))
  process.send?.({ url: `ws://127.0.0.1:${port}${path}`, options })
}

/** Listens on loopback, on a port that is free. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port // a TCP server that listens has one
}
