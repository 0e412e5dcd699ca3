import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  createGuard,
  firstMessage,
  memory,
  query,
  type Guard,
  type JournalEntry,
  type Lease,
  type Method,
} from 'countersign'
import { ticket } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { build } from 'rolldown'
import { WebSocketServer } from 'ws'
import { root } from '../../../tools/processes.ts'

/** What reached the application, and the end of the lease that it came under. */
export interface HeardMessage {
  readonly text: string
  readonly untilMs: number
}

/** One connection, in the order of their acceptance. */
export interface Connection {
  readonly lease: Lease
  readonly heard: HeardMessage[]
}

/** A page with the client in it, and a guarded server of the page's own origin. */
export interface ClientSite {
  readonly url: string
  readonly guard: Guard
  readonly journal: JournalEntry[]
  readonly connections: Connection[]
  /** POSTs by path. */
  readonly posts: string[]
  /** Answers POSTs; a ticket where it has nothing to say. */
  answers: (path: string) => Promise<object | undefined>
  /** Cuts every socket. */
  readonly cut: () => void
  /** Stops listening, and cuts everything. */
  readonly stop: () => Promise<void>
  readonly listening: () => boolean
  /** Listens again, at the same port. */
  readonly start: () => Promise<void>
  readonly close: () => Promise<void>
}

/** The client as pages without modules get it; `script-all` with challenges. */
export async function bundleClient(script: 'script' | 'script-all' = 'script'): Promise<string> {
  const input = join(root, `packages/countersign/src/client/${script}.ts`)
  const output = { format: 'iife', name: 'countersign', minify: true } as const
  const built = await build({ input, write: false, output })
  return built.output[0].code
}

/**
 * Serves on a port of the system's choosing. `POST /ticket?lease=MS` gives a ticket for such a lease, which ends without
 * grace.
 *
 * @param more methods besides tickets
 */
export async function serveClient(more: readonly Method[] = []): Promise<ClientSite> {
  const code = await bundleClient()
  const journal: JournalEntry[] = []
  const connections: Connection[] = []
  const posts: string[] = []
  const server = createServer((request, response) => {
    const { method, url = '/' } = request
    if (method === 'POST') {
      posts.push(url)
      void answer(url).then((said) =>
        response.setHeader('content-type', 'application/json').end(JSON.stringify(said)),
      )
    } else if (url === '/client.js') response.setHeader('content-type', 'text/javascript').end(code)
    else {
      response
        .setHeader('content-type', 'text/html')
        .setHeader('content-security-policy', "default-src 'none'; script-src 'self'; connect-src 'self' ws:")
        .end('<!doctype html><title>client</title><script src="/client.js"></script>')
    }
  })
  await listen(server, 0)
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  const url = `http://localhost:${String(port)}/`
  const guard = createGuard({
    records: memory(),
    origins: [url.slice(0, -1)],
    accept: [ticket({ from: [query('ticket'), firstMessage()] }), ...more],
    limits: { graceMs: 0, jitter: 0 },
    journal: { record: (entry) => void journal.push(entry) },
  })
  const wss = new WebSocketServer({ noServer: true })
  guardUpgrades(server, wss, guard)
  const greet: ConnectionListener = (socket, _request, lease) => {
    const connection: Connection = { lease, heard: [] }
    connections.push(connection)
    socket.on('message', (data) => {
      connection.heard.push({ text: String(data), untilMs: lease.untilMs })
    })
  }
  wss.on('connection', greet)
  const answer = async (path: string): Promise<object> => {
    const said = await site.answers(path)
    if (said !== undefined) return said
    const leaseMs = Number(new URL(path, url).searchParams.get('lease') ?? 900_000)
    return guard.issue.ticket({ subject: 'alice', leaseMs })
  }
  const cut = (): void => {
    for (const socket of wss.clients) socket.terminate()
  }
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    cut()
    server.closeAllConnections()
    await closed
  }
  const site: ClientSite = {
    url,
    guard,
    journal,
    connections,
    posts,
    answers: async () => undefined,
    cut,
    stop,
    listening: () => server.listening,
    start: () => listen(server, port),
    close: async () => {
      guard.close()
      await stop()
    },
  }
  return site
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, 'localhost')
  await once(server, 'listening')
}
