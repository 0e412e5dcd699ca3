/** The program on a port of its own, with accounts, in a folder that is gone afterwards. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argon2Passwords } from 'countersign/platform/node'
import { sqlite } from 'countersign/stores/sqlite'
import { Server } from './process.ts'

/** Name of the guard, and where it is. */
export const door = { name: 'door', path: '/door' } as const
/** Password of every account: what it costs to check does not depend on it. */
export const accountPassword = 'correct horse battery staple'

/** A running program. */
export interface ProgramSite {
  readonly server: Server
  /** As in `Host`. */
  readonly host: string
  readonly origin: string
  stop(): Promise<void>
}

/**
 * Starts the program with its own limits, able to collect garbage when asked. Its one door takes tickets from the query
 * or as a first message, and session cookies.
 */
export async function startProgram(options: { readonly accounts: readonly string[] }): Promise<ProgramSite> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
  const file = join(folder, 'countersign.json')
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const origin = `http://${host}`
  try {
    writeFileSync(file, JSON.stringify(configuration(host, origin)))
    await putAccounts(join(folder, 'countersign.db'), options.accounts)
    const server = await Server.start({ kind: 'program', config: file, port }, [
      '--expose-gc',
      '--disable-warning=ExperimentalWarning',
    ])
    return {
      server,
      host,
      origin,
      async stop() {
        await server.stop()
        rmSync(folder, { recursive: true })
      },
    }
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
}

function configuration(host: string, origin: string): object {
  return {
    store: 'countersign.db',
    keyFile: 'countersign.key',
    site: { listen: host },
    guards: [
      {
        name: door.name,
        path: door.path,
        origins: [origin],
        accept: [{ method: 'ticket' }, { method: 'session' }],
      },
    ],
  }
}

/** Hashed with the parameters of the program, each with a salt of its own: a right password is remembered by its hash. */
async function putAccounts(file: string, usernames: readonly string[]): Promise<void> {
  const records = sqlite(file)
  const passwords = argon2Passwords()
  for (const username of usernames) {
    const passwordHash = await passwords.hash(accountPassword)
    const changedAtMs = Date.now()
    await records.putAccount({ username, roles: ['member'], passwordHash, disabled: false, changedAtMs })
  }
  await records.close()
}

/** A port that was free a moment ago: the configuration must name it before it is opened. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => void probe.listen(0, '127.0.0.1', resolve))
  // A server on a TCP port has an address object, not a path.
  const { port } = probe.address() as AddressInfo
  await new Promise<void>((resolve) => void probe.close(() => resolve()))
  return port
}
