/** Sites whose sessions are in a store in the manner of `connect`: `express-session` and `@fastify/session`. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import fastifyCookie, { Signer } from '@fastify/cookie'
import fastifySession from '@fastify/session'
import express, { type Request, type Response } from 'express'
import expressSession from 'express-session'
import fastify from 'fastify'
import { expressSessions } from '../../../packages/countersign/src/sessions/express-session.ts'
import { fastifySessions } from '../../../packages/countersign/src/sessions/fastify-session.ts'
import type { ConnectStore } from '../../../packages/countersign/src/sessions/store-events.ts'
import { post, setCookieOf, type Site, type SiteOptions } from './site.ts'

declare module 'express-session' {
  interface SessionData {
    user?: string
    roles?: readonly string[]
    note?: string
  }
}

declare module 'fastify' {
  interface Session {
    user?: string | undefined
    roles?: readonly string[] | undefined
    note?: string | undefined
  }
}

/** What the routes of these sites write. */
interface Written {
  readonly user?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly note?: string | undefined
}

/** Newest first: sessions that the older one signed are good. */
export const secrets: string[] = [
  'the newer of two secrets of these tests',
  'the older of two secrets of these tests',
]

/** Readers that both sites use. */
const readers = {
  subject: ({ user }: Written) => user,
  roles: ({ roles }: Written) => roles ?? [],
}

/** A store that fails while it is told to, and how many look-ups it has had at once. */
export interface Breakable {
  broken: boolean
  running: number
  most: number
  looks: number
}

/** Puts trouble, and a little time, before every look-up. */
export function breakable<S>(store: ConnectStore<S>): Breakable {
  const state: Breakable = { broken: false, running: 0, most: 0, looks: 0 }
  const get = store.get.bind(store)
  store.get = (sid, callback) => {
    state.looks++
    state.running++
    state.most = Math.max(state.most, state.running)
    setImmediate(() => {
      state.running--
      if (state.broken) callback(new Error('the store is out of reach'))
      else get(sid, callback)
    })
  }
  return state
}

/** The id in a cookie's value. */
export function sidIn(value: string): string {
  const text = decodeURIComponent(value).replace(/^s:/, '')
  return text.slice(0, text.lastIndexOf('.'))
}

/** A store of `express-session`, and the same sessions as another process has them. */
export interface SharedStore {
  readonly store: expressSession.Store
  destroyElsewhere(sid: string): Promise<void>
}

/** Sessions in memory, which two stores share. */
export function memoryStore(): SharedStore {
  const [store, other] = [new expressSession.MemoryStore(), new expressSession.MemoryStore()]
  Reflect.set(other, 'sessions', Reflect.get(store, 'sessions'))
  return { store, destroyElsewhere: async (sid) => other.destroy(sid) }
}

/** Sessions in files, which another process destroys with the same library. */
export function fileStore(folder: string): SharedStore {
  const require = createRequire(import.meta.url)
  // The package has no types.
  const FileStore = require('session-file-store')(expressSession) as new (
    options: object,
  ) => expressSession.Store
  const program =
    "const S = require('session-file-store')(require('express-session'));" +
    'new S({ path: process.argv[1], logFn() {}, reapInterval: -1 }).destroy(process.argv[2], () => process.exit())'
  return {
    store: new FileStore({ path: folder, retries: 0, logFn: () => undefined, reapInterval: -1 }),
    destroyElsewhere: async (sid) =>
      void (await promisify(execFile)(process.execPath, ['--eval', program, folder, sid])),
  }
}

/** A site of Express. */
export function expressSite({ store, destroyElsewhere }: SharedStore, options: SiteOptions): Site {
  const state = breakable(store)
  const app = express()
  app.use(
    expressSession({ store, secret: secrets, resave: false, saveUninitialized: false, name: 'app.sid' }),
  )
  const done =
    (response: Response) =>
    (error?: unknown): void =>
      void response.status(error === undefined || error === null ? 204 : 500).end()
  app.post('/login', (request: Request, response) => {
    request.session.regenerate(() => {
      request.session.user = String(request.query['user'])
      request.session.roles = ['member']
      request.session.save(done(response))
    })
  })
  app.post('/logout', (request, response) => request.session.destroy(done(response)))
  app.post('/regenerate', (request, response) => request.session.regenerate(done(response)))
  app.post('/roles', (request, response) => {
    request.session.roles = String(request.query['roles']).split(',')
    response.status(204).end()
  })
  app.post('/note', (request, response) => {
    request.session.note = String(request.query['note'])
    response.status(204).end()
  })
  app.post('/become', (request, response) => {
    delete request.session.user
    if (request.query['user'] !== undefined) request.session.user = String(request.query['user'])
    response.status(204).end()
  })
  const server = createServer(app)
  return {
    ...connectSite(server, 'app.sid'),
    sessions: expressSessions({ store, secret: secrets, ...readers, ...options }),
    destroy: async (value) => void (await new Promise((resolve) => store.destroy(sidIn(value), resolve))),
    destroyElsewhere: (value) => destroyElsewhere(sidIn(value)),
    breakStore: (broken) => void (state.broken = broken),
    async close() {
      server.closeAllConnections()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}

/** A site of Fastify. */
export async function fastifySite(options: SiteOptions): Promise<Site> {
  const map = new Map()
  const store = new fastifySession.MemoryStore(map)
  const other = new fastifySession.MemoryStore(map)
  const state = breakable(store)
  const app = fastify()
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    store,
    secret: secrets,
    cookieName: 'app.sid',
    cookie: { secure: false },
    saveUninitialized: false,
  })
  app.post<{ Querystring: Record<string, string> }>('/login', async (request, reply) => {
    await request.session.regenerate()
    request.session.user = request.query['user']
    request.session.roles = ['member']
    return reply.code(204).send()
  })
  app.post('/logout', async (request, reply) => {
    await request.session.destroy()
    return reply.code(204).send()
  })
  app.post('/regenerate', async (request, reply) => {
    await request.session.regenerate()
    return reply.code(204).send()
  })
  app.post<{ Querystring: Record<string, string> }>('/roles', async (request, reply) => {
    request.session.roles = request.query['roles']?.split(',')
    return reply.code(204).send()
  })
  app.post<{ Querystring: Record<string, string> }>('/note', async (request, reply) => {
    request.session.note = request.query['note']
    return reply.code(204).send()
  })
  app.post<{ Querystring: Record<string, string> }>('/become', async (request, reply) => {
    request.session.user = request.query['user']
    return reply.code(204).send()
  })
  await app.ready()
  return {
    ...connectSite(app.server, 'app.sid'),
    sessions: fastifySessions({ store, secret: secrets, ...readers, ...options }),
    destroy: (value) => new Promise<void>((resolve) => store.destroy(sidIn(value), () => resolve())),
    destroyElsewhere: async (value) => other.destroy(sidIn(value), () => undefined),
    breakStore: (broken) => void (state.broken = broken),
    close: async () => {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}

/** What is asked of both over HTTP. */
function connectSite(
  server: Site['server'],
  cookieName: string,
): Pick<Site, 'server' | 'cookieName' | 'login' | 'logout' | 'setRoles' | 'write' | 'noteIn' | 'secretOf'> {
  const with_ = (value: string): Record<string, string> => ({ cookie: `${cookieName}=${value}` })
  return {
    server,
    cookieName,
    login: async (user) => setCookieOf(await post(server, `/login?user=${user}`), cookieName),
    logout: async (value) => void (await post(server, '/logout', with_(value))),
    setRoles: async (value, roles) =>
      void (await post(server, `/roles?roles=${roles.join(',')}`, with_(value))),
    write: async (value, note) => void (await post(server, `/note?note=${note}`, with_(value))),
    // What `current` answers is the session of these sites.
    noteIn: (session) => (session as Written).note,
    secretOf: sidIn,
  }
}

/** A value with a signature of this secret, as both libraries sign. */
export function signed(value: string, secret: string): string {
  return new Signer(secret).sign(value)
}
