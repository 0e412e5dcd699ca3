/** `/console` of the insecure twin: it speaks as the console does, and checks next to nothing. */
import type { Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'socket.io'
import { commandNamed, commands, type Command, type Surroundings } from '../commands.ts'
import { offered } from '../desk.ts'
import { interpret } from './interpreter.ts'
import { idIn, type LooseSessions } from './sessions.ts'

/** What a message says, if it says what the page would. */
interface Asked {
  readonly command: string
  readonly args: Readonly<Record<string, string>>
  readonly priv?: boolean
}

/** Who a socket is; `roles` is empty for whoever has not logged in. */
interface Visitor {
  readonly who: string
  readonly roles: readonly string[]
}

/** Every origin may connect and read, with cookies; messages may be as long as they like. */
export function openSockets(http: HttpServer): Server {
  return new Server(http, {
    serveClient: false,
    cors: { origin: true, credentials: true },
    maxHttpBufferSize: 100_000_000,
  })
}

/** Runs of all consoles by number, for whoever knows the number. */
const runs = new Map<number, AbortController>()

/** Accepts everybody, with a cookie, a token in the URL, or nothing; looks at neither again. */
export function serveSockets(io: Server, sessions: LooseSessions, surroundings: Surroundings): void {
  const { journal } = surroundings
  io.of('/console').on('connection', (socket) => {
    const visitor = visitorOf(socket, sessions)
    journal.record({ act: 'connection', outcome: `accepted ${socket.request.url ?? ''}`, who: visitor.who })
    socket.emit('welcome', {
      who: visitor.who,
      roles: visitor.roles,
      commands: offered(visitor.roles.length === 0 ? ['viewer'] : visitor.roles),
      ends_in: 1_800,
    })
    socket.on('command', (asked: Asked, answer?: (told: object) => void) => {
      const tell = answer ?? ((told: object): void => void socket.emit('started', told))
      try {
        tell(start(socket, asked, { visitor, surroundings }))
      } catch (error) {
        tell({ error: { reason: error instanceof Error ? error.stack : String(error) } })
      }
    })
    socket.on('stop', ({ run }: { readonly run: number }) => runs.get(run)?.abort('stopped'))
  })
  // For the developers, who would not want to log in.
  io.of('/debug').on('connection', (socket) => {
    const logins = [...sessions.all.values()].flatMap(({ account }) => account?.username ?? [])
    socket.emit('state', { logins, runs: [...runs.keys()] })
  })
}

/** The cookie's session, or the one that `?token=` names. */
function visitorOf({ handshake }: Socket, sessions: LooseSessions): Visitor {
  const token = handshake.query['token']
  const account = sessions.accountOf(
    idIn(handshake.headers.cookie) ?? (typeof token === 'string' ? token : undefined),
  )
  return account === undefined
    ? { who: 'nobody', roles: [] }
    : { who: account.username, roles: [account.role] }
}

/** Starts what was asked for. Roles are the page's business, except for admins' commands, where the message may say so. */
function start(
  socket: Socket,
  { command: name, args, priv }: Asked,
  { visitor, surroundings }: { readonly visitor: Visitor; readonly surroundings: Surroundings },
): object {
  const command = commandNamed(name)
  if (command === undefined)
    throw new Error(`no command ${name}; there are ${commands.map((one) => one.name).join(', ')}`)
  if (isForAdmins(command) && !visitor.roles.includes('admin') && priv !== true)
    throw new Error(`${name} is for admins`)
  const line = [name, ...Object.values(args)].join(' ')
  const abort = new AbortController()
  const run = runs.size + 1
  runs.set(run, abort)
  const call = { ...surroundings, who: visitor.who, signal: abort.signal }
  const lines = name === 'show' ? interpret(line) : command.prepare(args)?.run(call)
  if (lines === undefined) throw new TypeError(`cannot ${line}`)
  surroundings.journal.record({ act: 'command', outcome: 'started', ...visitor, command: line, run })
  setImmediate(() => void pump(socket, run, lines, abort.signal))
  return { run, line }
}

function isForAdmins({ roles }: Command): boolean {
  return roles.length === 1 && roles[0] === 'admin'
}

/** Hands the output on to whoever asked, whatever has become of their login. */
async function pump(
  socket: Socket,
  run: number,
  lines: Iterable<string> | AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now()
  let outcome = 'done'
  try {
    for await (const text of lines) socket.emit('line', { run, text })
  } catch {
    outcome = signal.aborted ? 'stopped' : 'failed'
  }
  socket.emit('end', { run, outcome, durationMs: Math.round(performance.now() - startedAt) })
}
