/**
 * A map chat behind a guard: `node --conditions=countersign-source examples/chat/server.ts [--port N] [--host H]
 * [--session SECONDS] [--insecure]`. Says `ready URL` once it listens, and closes on SIGTERM and SIGINT.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openChat } from './chat.ts'
import { openTwin } from './insecure.ts'
import { isLoopback, placeOf, readSettings } from './settings.ts'

const settings = readSettings(process.argv.slice(2))
if (typeof settings === 'string') stop(settings)

const server = createServer({
  requestTimeout: 10_000,
  headersTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
})
server.on('error', (error) => stop(error.message))
server.listen(settings.port, settings.host)
await once(server, 'listening')
const { address, port } = server.address() as AddressInfo
if (settings.insecure && !isLoopback(address)) stop(`--insecure runs on loopback only, and ${address} is not`)

const place = placeOf(settings.host, port)
const chat = await (settings.insecure ? openTwin : openChat)(server, place, settings)
console.log(`ready ${place.url}`)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void chat.close().then(() => process.exit(0))
  })
}

function stop(words: string): never {
  console.error(`chat: ${words}`)
  process.exit(2)
}
