/**
 * A server console over Socket.IO: `node --conditions=countersign-source server.ts [--port 8090] [--host 127.0.0.1]
 * [--journal FILE] [--session SECONDS] [--insecure]`. Says `ready URL` once it listens; ends on SIGTERM and SIGINT.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { serveGuarded } from './guarded.ts'
import { serveInsecure } from './insecure/insecure.ts'
import { Journal } from './journal.ts'
import { programLines } from './programs.ts'
import { Services } from './services.ts'
import { createApp } from './web.ts'

/** Addresses that no other machine reaches. Names could mean anything. */
const loopback: readonly string[] = ['127.0.0.1', '::1', 'localhost']

const options = readOptions()
const app = createApp()
// Node looks for late requests every 30 seconds unless it is told otherwise.
const http = createServer(
  {
    requestTimeout: 10_000,
    headersTimeout: 5_000,
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: 16_384,
  },
  app,
)
http.listen(options.port, options.host)
await once(http, 'listening')
const { address, family, port } = http.address() as AddressInfo // A TCP server that listens has one.
if (!loopback.includes(address)) fail(`${options.host} is ${address}, which is not loopback.`)

const journal = new Journal(options.journal, (line) => console.log(line))
const services = new Services()
const names = [family === 'IPv6' ? `[${address}]` : address, 'localhost']
const house = {
  app,
  hosts: names.map((name) => `${name}:${port}`),
  origins: names.map((name) => `http://${name}:${port}`),
  sessionMs: options.sessionMs,
  surroundings: { journal, services, program: programLines },
}
const serving = options.insecure ? await serveInsecure(house, http) : await serveGuarded(house, http)
console.log(`ready ${house.origins[0]}/`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close())

// What still runs ends with its socket, and that is an act, too.
process.once('exit', () => journal.close())

async function close(): Promise<void> {
  await serving.close()
  http.closeAllConnections()
  services.close()
}

function readOptions(): {
  readonly port: number
  readonly host: string
  readonly journal: string | undefined
  readonly sessionMs: number
  readonly insecure: boolean
} {
  const { values } = parse()
  const { host = '127.0.0.1', insecure = false } = values
  if (!loopback.includes(host)) {
    fail(
      insecure
        ? `--insecure has holes on purpose and runs on loopback only: --host ${loopback.join(', ')}.`
        : `The accounts of this example are public, so it runs on loopback only: --host ${loopback.join(', ')}.`,
    )
  }
  return {
    port: whole('port', values.port ?? '8090', [0, 65_535]),
    host,
    journal: values.journal,
    sessionMs: whole('session', values.session ?? '1800', [1, 86_400]) * 1_000,
    insecure,
  }
}

function parse(): {
  readonly values: { port?: string; host?: string; journal?: string; session?: string; insecure?: boolean }
} {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      options: { port: text, host: text, journal: text, session: text, insecure: { type: 'boolean' } },
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : 'These options are not known.')
  }
}

function whole(name: string, text: string, [least, most]: readonly [number, number]): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN
  return value >= least && value <= most
    ? value
    : fail(`--${name} is a whole number from ${least} to ${most}.`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
