/** A measured server: bare `ws`, or the same behind a guard. Started by `Server.start`; lives as long as its parent's channel. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { answerQuestions } from './answering.ts'
import { applications } from './applications.ts'
import { checkOf } from './check.ts'
import type { ClientSite } from './client-site.ts'
import { Groups } from './groups.ts'
import { guardedServer, type GuardedSide } from './guarded.ts'
import { measureLeases } from './lease-costs.ts'
import type { Role, ServerQuestions } from './protocol.ts'
import { connections, cpuUs, measureMemory } from './readings.ts'
import { serveFloor } from './wamp-floor.ts'

const server = createServer({ keepAliveTimeout: 0 })
const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false })
const groups = new Groups()
let guarded: GuardedSide | undefined
let mint: GuardedSide['mint'] | undefined
let clientSite: ClientSite | undefined

answerQuestions<ServerQuestions>({
  async listen(role) {
    if (role.kind === 'program') {
      const { serveProgram } = await import('./program.ts')
      await serveProgram(role.config)
      return { port: role.port }
    }
    if (role.kind === 'socket-io') {
      const { serveSocketIo } = await import('./socket-io-site.ts')
      mint = serveSocketIo(server, role.door)
      return { port: await listening(server) }
    }
    if (role.kind === 'client-site') {
      const { serveClients } = await import('./client-site.ts')
      clientSite = serveClients(server, wss, role.key)
      mint = clientSite.mint
      return { port: await listening(server, role.port) }
    }
    wss.on('connection', applications['application' in role ? role.application : 'idle'])
    await serve(role)
    return { port: await listening(server) }
  },
  cpu: () => ({ us: cpuUs() }),
  async memory() {
    return { ...(await measureMemory()), sockets: connections() }
  },
  connections: () => ({ count: connections() }),
  mint(order) {
    if (mint === undefined) throw new Error('a bare server mints nothing')
    return mint(order)
  },
  cut: ({ group }) => guarded?.revoke(group) ?? groups.cut(group),
  closeSpread: ({ group, overMs }) => groups.closeSpread(group, overMs),
  attempts: () => theClientSite().attempts(),
  loseAndRevoke: ({ subject }) => theClientSite().loseAndRevoke(subject),
  revoke: ({ subject }) => theClientSite().revoke(subject),
  shutDown: () => theClientSite().shutDown(),
  leaseCosts: measureLeases,
  async checkCost({ key, check: kind, tokens }) {
    const check = await checkOf(key, kind)
    for (const token of tokens) await check(token)
    const before = cpuUs()
    for (const token of tokens) await check(token)
    return { us: (cpuUs() - before) / tokens.length }
  },
})

function theClientSite(): ClientSite {
  if (clientSite === undefined) throw new Error('this server counts no clients')
  return clientSite
}

type Plain = Exclude<Role, { readonly kind: 'program' | 'socket-io' | 'client-site' }>

async function serve(role: Plain): Promise<void> {
  if (role.kind === 'guarded') {
    guarded = await guardedServer(server, wss, role)
    mint = guarded.mint
    return
  }
  if (role.kind === 'wamp-floor') {
    serveFloor(server)
    return
  }
  if (role.kind === 'wamp-router') {
    const { serveRouter } = await import('./wamp-router.ts')
    serveRouter(server, role.rules)
    return
  }
  if (role.kind === 'bare' && role.grouped === true) wss.on('connection', groups.keep)
  const check = role.kind === 'checking' ? await checkOf(role.key, role.check) : undefined
  server.on('upgrade', (request, socket, head) => {
    const open = (): void =>
      wss.handleUpgrade(request, socket, head, (client) => void wss.emit('connection', client, request))
    const checked = check?.(request.headers.authorization?.slice('Bearer '.length) ?? '')
    if (checked === undefined) open()
    else void checked.then(open)
  })
}

async function listening(server: Server, port = 0): Promise<number> {
  await new Promise<void>(
    (resolve) => void server.listen({ host: '127.0.0.1', port, backlog: 4_096 }, resolve),
  )
  // A server on a TCP port has an address object, not a path.
  return (server.address() as AddressInfo).port
}
