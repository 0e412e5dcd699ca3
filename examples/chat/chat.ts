/** The chat as it should be: who comes in by which door, and what stands behind it. */
import type { Server } from 'node:http'
import { authorization, cookie, createGuard, memory, query, type Guard, type GuardOptions } from 'countersign'
import { password, session, ticket } from 'countersign/methods'
import { argon2Passwords } from 'countersign/platform/node'
import { addAccounts } from './accounts.ts'
import { openSocketIo } from './over-socket-io.ts'
import { openWebSockets } from './over-ws.ts'
import { Room } from './room.ts'
import type { Place, Settings } from './settings.ts'
import { cookieName, siteOf } from './site.ts'
import { Speech } from './speech.ts'

/** A chat that runs. */
export interface Chat {
  close(): Promise<void>
}

/** Opens the chat on a server that listens. */
export async function openChat(server: Server, { hosts, origins }: Place, settings: Settings): Promise<Chat> {
  const records = memory()
  const passwords = argon2Passwords()
  await addAccounts(records, passwords)

  const door = (name: string, options: Omit<GuardOptions, 'records'>): Guard =>
    createGuard({ name, records, hosts, origins, ...options })
  const sessions = session({ from: cookie(cookieName) })

  // Every socket: the login's cookie with an Origin of this site, or a ticket that is good once.
  const guard = door('chat', {
    accept: [ticket({ from: query('ticket') }), sessions],
    perSubject: { most: 8, whenFull: 'reject' },
    limits: { graceMs: 0 },
  })
  // The login form: a password, with the lockout that every door shares.
  const login = door('login', { accept: [password({ from: authorization('Basic') })], passwords })
  // Requests that change something: the cookie with an Origin, as at the sockets.
  const acting = door('acting', { accept: [sessions] })
  // Pages are read without an Origin, as browsers navigate; they change nothing.
  const reading = door('reading', {
    accept: [session({ from: cookie(cookieName, { absentOrigin: 'allow' }) })],
  })

  const room = new Room()
  const speech = new Speech(room)
  server.on('request', siteOf({ guard, login, acting, reading, settings }))
  const closeSocketIo = openSocketIo(server, guard, { room, speech })
  const closeWebSockets = openWebSockets(server, guard, { room, speech })

  return {
    async close() {
      for (const each of [guard, login, acting, reading]) each.close()
      closeWebSockets()
      server.closeIdleConnections()
      await closeSocketIo()
    },
  }
}
