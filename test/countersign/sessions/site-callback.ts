/** A site that keeps its sessions in a way of its own. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { callbackSessions } from '../../../packages/countersign/src/sessions/index.ts'
import type { Guard } from '../../../packages/countersign/src/index.ts'
import { post, setCookieOf, type Site, type SiteOptions } from './site.ts'

/** What this site keeps of a session. */
interface Kept {
  readonly name: string
  readonly user: string
  roles: readonly string[]
  note: string | undefined
}

/** Sessions in a map, by secret values; they have public names besides. */
export function callbackSite(options: SiteOptions): Site {
  const kept = new Map<string, Kept>()
  let broken = false
  const guards = new Set<Guard>()
  const visitorOf = ({
    user,
    roles,
    note,
  }: Kept): { subject: string; roles: readonly string[]; claims: { note: string | undefined } } => ({
    subject: user,
    roles,
    claims: { note },
  })
  const sessions = callbackSessions({
    ...options,
    check(value) {
      if (broken) throw new Error('the site is out of order')
      const found = kept.get(value)
      return found === undefined ? undefined : { ...visitorOf(found), session: found.name }
    },
    async stillGood(name) {
      if (broken) throw new Error('the site is out of order')
      const found = [...kept.values()].find((one) => one.name === name)
      return found === undefined ? undefined : visitorOf(found)
    },
  })
  const end = async (value: string): Promise<void> => {
    const session = kept.get(value)?.name ?? ''
    kept.delete(value)
    for (const guard of guards) await guard.revoke({ session }, 'logged_out')
  }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const value = request.headers.cookie?.replace('sid=', '') ?? ''
    if (pathname === '/login') {
      const fresh = randomBytes(16).toString('hex')
      const name = randomBytes(8).toString('hex')
      kept.set(fresh, { name, user: searchParams.get('user') ?? '', roles: ['member'], note: undefined })
      response.setHeader('set-cookie', `sid=${fresh}; HttpOnly`)
      response.end()
    } else void end(value).then(() => response.end())
  })
  const change = async (value: string, changes: Partial<Kept>): Promise<void> => {
    const found = kept.get(value)
    if (found === undefined) return
    Object.assign(found, changes)
    await sessions.changed(found.name)
  }
  return {
    server,
    cookieName: 'sid',
    sessions: {
      ...sessions,
      couple(guard) {
        guards.add(guard)
        return sessions.couple(guard)
      },
    },
    login: async (user) => setCookieOf(await post(server, `/login?user=${user}`), 'sid'),
    logout: async (value) => void (await post(server, '/logout', { cookie: `sid=${value}` })),
    destroy: end,
    destroyElsewhere: async (value) => void kept.delete(value),
    setRoles: (value, roles) => change(value, { roles }),
    write: (value, note) => change(value, { note }),
    noteIn: (session) => (session as { claims: { note: unknown } }).claims.note,
    secretOf: (value) => value,
    breakStore: (now) => void (broken = now),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
