/** A site whose sessions Better Auth keeps, in a database of Node's own SQLite or in secondary storage alone. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { betterAuth } from 'better-auth'
import { toNodeHandler } from 'better-auth/node'
import { admin } from 'better-auth/plugins'
import {
  betterAuthSessions,
  type BetterAuthSession,
} from '../../../packages/countersign/src/sessions/better-auth.ts'
import { setCookieOf, type Site, type SiteOptions } from './site.ts'

const cookieName = 'better-auth.session_token'
const password = 'a password of these tests'

/** A site of Better Auth, with what its tests need besides. */
export interface BetterAuthSite extends Site {
  /** Calls an endpoint over HTTP with the cookie of whoever asks. */
  call(path: string, body: object, value?: string): Promise<Response>
  idOf(value: string): Promise<string>
  makeAdmin(value: string): Promise<void>
}

/** @param folder for the database. @param storage sessions are in secondary storage alone */
export async function betterAuthSite(
  folder: string,
  options: SiteOptions,
  storage?: Map<string, string>,
): Promise<BetterAuthSite> {
  const file = join(folder, `${randomBytes(6).toString('hex')}.db`)
  const database = new DatabaseSync(file)
  const coupled = betterAuthSessions(options)
  const server = createServer((request, response) => void handler(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const auth = betterAuth({
    baseURL,
    database,
    secret: randomBytes(32).toString('hex'),
    emailAndPassword: {
      enabled: true,
      password: { hash: async (text) => text, verify: async (one) => one.hash === one.password },
    },
    plugins: [admin(), coupled.plugin],
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    session: { cookieCache: { enabled: true } },
    logger: { disabled: true },
    ...(storage === undefined
      ? {}
      : {
          secondaryStorage: {
            get: async (key: string) => storage.get(key) ?? null,
            getAndDelete: async (key: string) => {
              const value = storage.get(key) ?? null
              storage.delete(key)
              return value
            },
            increment: async (key: string) => {
              const count = Number(storage.get(key) ?? 0) + 1
              storage.set(key, String(count))
              return count
            },
            set: async (key: string, value: string) => void storage.set(key, value),
            delete: async (key: string) => void storage.delete(key),
          },
        }),
  })
  const handler = toNodeHandler(auth)
  const context = await auth.$context
  await context.runMigrations()
  const findSession = context.internalAdapter.findSession.bind(context.internalAdapter)
  let broken = false
  context.internalAdapter.findSession = async (token) => {
    if (broken) throw new Error('the database is out of reach')
    return await findSession(token)
  }
  const call = async (path: string, body: object, value?: string): Promise<Response> => {
    const response = await fetch(`${baseURL}/api/auth${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: baseURL,
        ...(value === undefined ? {} : { cookie: `${cookieName}=${value}` }),
      },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }
  const tokenIn = (value: string): string => decodeURIComponent(value).split('.')[0] ?? ''
  const idOf = async (value: string): Promise<string> => (await findSession(tokenIn(value)))?.user.id ?? ''
  return {
    server,
    cookieName,
    call,
    idOf,
    sessions: { ...coupled, couple: (guard) => coupled.couple(guard, auth) },
    async login(user) {
      const account = { email: `${user}@example.com`, password }
      const known = await context.internalAdapter.findUserByEmail(account.email)
      const path = known === null ? '/sign-up/email' : '/sign-in/email'
      return setCookieOf(await call(path, { ...account, name: user }), cookieName)
    },
    logout: async (value) => void (await call('/sign-out', {}, value)),
    destroy: (value) => context.internalAdapter.deleteSession(tokenIn(value)),
    async destroyElsewhere(value) {
      if (storage !== undefined) {
        storage.delete(tokenIn(value))
        return
      }
      const other = new DatabaseSync(file)
      other.prepare('DELETE FROM session WHERE token = ?').run(tokenIn(value))
      other.close()
    },
    setRoles: async (value, roles) =>
      void (await context.internalAdapter.updateUser(await idOf(value), { role: roles.join(',') })),
    makeAdmin: async (value) =>
      void (await context.internalAdapter.updateUser(await idOf(value), { role: 'admin' })),
    write: async (value, note) => void (await call('/update-user', { name: note }, value)),
    noteIn: (session) => (session as BetterAuthSession).user['name'],
    secretOf: tokenIn,
    breakStore: (now) => void (broken = now),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      database.close()
    },
  }
}
