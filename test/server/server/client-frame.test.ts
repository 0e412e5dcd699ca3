import { once } from 'node:events'
import { stripTypeScriptTypes } from 'node:module'
import { createContext, Script } from 'node:vm'
import { cookie, createGuard, memory, query, type Guard } from 'countersign'
import {
  CountersignSocket,
  frameCookie,
  type BaseSocketClass,
  type FrameElement,
  type FramePage,
} from 'countersign/client'
import { session, ticket } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import { guardUpgrades } from 'countersign/ws'
import { createServer, type AddressInfo } from 'node:net'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createApp } from '../../../packages/server/src/server/app.ts'
import { cookieNames } from '../../../packages/server/src/server/cookies.ts'
import { registerFrame } from '../../../packages/server/src/server/frame.ts'
import { ownSources } from '../../../packages/server/src/server/headers.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'

const pageOrigin = 'http://localhost:8000'

/** A browser in little: one jar of cookies for the socket's host, and one page that embeds frames of it. */
class Engine implements FramePage {
  cookies = ''
  readonly keepsCookies: boolean
  readonly frames: FrameElement[] = []
  readonly targets: string[] = []
  readonly #own: string
  readonly #listeners = new Set<(event: { data: unknown; origin: string; source: unknown }) => void>()

  constructor(own: string, keepsCookies = true) {
    this.#own = own
    this.keepsCookies = keepsCookies
  }

  readonly document = {
    createElement: (): FrameElement => ({
      hidden: false,
      src: '',
      contentWindow: null,
      remove() {
        // Nothing is left of it.
      },
    }),
    body: { append: (frame: FrameElement) => void this.#load(frame) },
  }

  addEventListener(
    _type: 'message',
    listener: (event: { data: unknown; origin: string; source: unknown }) => void,
  ): void {
    this.#listeners.add(listener)
  }

  removeEventListener(
    _type: 'message',
    listener: (event: { data: unknown; origin: string; source: unknown }) => void,
  ): void {
    this.#listeners.delete(listener)
  }

  /** Says something to the page. */
  say(data: unknown, origin: string, source: unknown): void {
    for (const listener of this.#listeners) listener({ data, origin, source })
  }

  /** Runs the module that the server's own frame page brings. */
  async #load(frame: FrameElement): Promise<void> {
    this.frames.push(frame)
    const html = await (await fetch(frame.src)).text()
    const code = await (await fetch(new URL('/countersign/frame.js', frame.src))).text()
    const heard = new Set<(event: object) => void>()
    const contentWindow = {
      postMessage: (data: unknown, target: string) => {
        this.targets.push(target)
        if (target === this.#own) for (const hear of heard) hear({ data, origin: pageOrigin, source: parent })
      },
    }
    Object.assign(frame, { contentWindow })
    const parent = {
      postMessage: (data: unknown, target: string) => {
        if (target === pageOrigin) this.say(data, this.#own, contentWindow)
      },
    }
    const origins = /data-origins="([^"]*)"/.exec(html)?.[1] ?? ''
    const around = {
      document: { body: { dataset: { origins } } },
      location: {},
      parent,
      addEventListener: (_type: string, hear: (event: object) => void) => heard.add(hear),
      fetch: (path: string, request: RequestInit) => this.#fetch(path, request),
    }
    // Unbuilt, the site serves its sources.
    new Script(stripTypeScriptTypes(code)).runInContext(createContext({ ...around, window: around }))
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    const headers = { 'content-type': 'application/json', origin: this.#own }
    const answer = await fetch(new URL(path, this.#own), { ...request, headers })
    const [set = ''] = answer.headers.getSetCookie()
    if (this.keepsCookies) this.cookies = set.split(';')[0] ?? ''
    return answer
  }

  /** The page's sockets. */
  get WebSocket(): BaseSocketClass {
    const headers = (): Record<string, string> => (this.cookies === '' ? {} : { cookie: this.cookies })
    return class extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols ?? [], { origin: pageOrigin, headers: headers() })
      }
    }
  }
}

let guard: Guard
let own: string

beforeEach(async () => {
  const records = memory()
  const platform = nodePlatform()
  const accept = [
    session({ from: cookie(cookieNames(false).frame), purposes: ['frame'] }),
    ticket({ from: query('ticket') }),
  ]
  guard = createGuard({ records, platform, audience: 'D3', origins: [pageOrigin], accept })
  const port = await freePort()
  own = `http://127.0.0.1:${port}`
  const app = createApp({
    log: createLog({ level: 'silent' }),
    hosts: [`127.0.0.1:${port}`],
    secure: false,
    sources: ownSources,
  })
  registerFrame(app, {
    guard,
    records,
    platform,
    ownOrigins: [own],
    pageOrigins: [pageOrigin],
    secure: false,
  })
  const wss = new WebSocketServer({ noServer: true })
  guardUpgrades(app.server, wss, guard)
  await app.listen({ port, host: '127.0.0.1' })
  onTestFinished(async () => {
    for (const socket of wss.clients) socket.terminate()
    guard.close()
    app.server.closeAllConnections()
    await app.close()
  })
})

/** The site lists its own name, so the port is known first. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

interface Counted {
  readonly socket: CountersignSocket
  readonly asked: string[]
}

/** Connects from a page of this engine. */
function connectFrom(engine: Engine, frameTicket?: string): Counted {
  const asked: string[] = []
  const issue = async (purpose: 'frame' | 'connect'): Promise<string> => {
    asked.push(purpose)
    const made = { subject: 'alice', purpose, origin: pageOrigin, audience: 'D3' } as const
    return (await guard.issue.ticket(made)).ticket
  }
  const carrier = frameCookie({
    getFrameTicket: async () => frameTicket ?? issue('frame'),
    getTicket: async () => issue('connect'),
    page: engine,
    patienceMs: 2_000,
  })
  const socket = new CountersignSocket(own.replace('http', 'ws'), {
    carrier,
    WebSocket: engine.WebSocket,
    pauses: { minMs: 1 },
  })
  onTestFinished(() => socket.close())
  return { socket, asked }
}

describe('a client of another origin', () => {
  it('has the frame exchange a ticket for a cookie, and connects by that', async () => {
    const engine = new Engine(own)
    const { socket, asked } = connectFrom(engine)
    await once(socket, 'open')
    expect(asked).toEqual(['frame'])
    expect(engine.targets).toEqual([own])
    expect(engine.frames.map(({ hidden }) => hidden)).toEqual([true])
  })

  it('falls back to a ticket in the query where the engine keeps no cookie', async () => {
    const engine = new Engine(own, false)
    const { socket, asked } = connectFrom(engine)
    await once(socket, 'open')
    expect(asked).toEqual(['frame', 'connect'])
  })

  it('falls back where the frame refuses the ticket', async () => {
    const { socket, asked } = connectFrom(new Engine(own), 'cst_made_up')
    await once(socket, 'open')
    expect(asked).toEqual(['connect'])
  })

  it('hands no ticket to a window that only says that it is the frame', async () => {
    const engine = new Engine(own)
    const { socket } = connectFrom(engine)
    const told: unknown[] = []
    const impostor = { postMessage: (data: unknown) => told.push(data) }
    engine.say({ type: 'countersign-frame-ready' }, own, impostor)
    engine.say({ type: 'countersign-frame-ready' }, 'https://evil.example', engine.frames[0]?.contentWindow)
    await once(socket, 'open')
    expect(told).toEqual([])
    expect(engine.targets).toEqual([own])
  })
})
