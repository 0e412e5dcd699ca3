/** Sessions of the insecure twin: kept in a table, chosen by the browser, believed wherever they are shown. */
import { randomBytes } from 'node:crypto'
import { accounts, type Account } from '../accounts.ts'
import { cookieName } from '../web.ts'

/** One session; nobody has logged in to it while `account` is absent. */
export interface LooseSession {
  readonly id: string
  account?: Account | undefined
  endsAtMs: number
}

/** All sessions. */
export class LooseSessions {
  readonly all: Map<string, LooseSession> = new Map()
  readonly #lifeMs: number

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs
  }

  /** The session of a cookie header, made if need be: an id that the browser brings is kept, also over a login. */
  take(header: string | undefined): LooseSession {
    const id = idIn(header) ?? randomBytes(16).toString('hex')
    const session = this.all.get(id) ?? { id, endsAtMs: 0 }
    this.all.set(id, session)
    return session
  }

  /** Who is logged in by this id, while the session lasts. */
  accountOf(id: string | undefined): Account | undefined {
    const session = id === undefined ? undefined : this.all.get(id)
    return session !== undefined && session.endsAtMs > Date.now() ? session.account : undefined
  }

  /** Tells which of the two was wrong. @returns the account, or what was wrong with the form */
  logIn(session: LooseSession, username: string, password: string): Account | string {
    const account = accounts.find((one) => one.username === username)
    if (account === undefined) return `There is no user ${username}.`
    if (account.password !== password) return `That is not the password of ${username}.`
    Object.assign(session, { account, endsAtMs: Date.now() + this.#lifeMs })
    return account
  }

  /** Forgets every login of somebody. @returns how many there were */
  forget(username: string): number {
    const theirs = [...this.all.values()].filter(({ account }) => account?.username === username)
    for (const { id } of theirs) this.all.delete(id)
    return theirs.length
  }
}

/** The value of the session's cookie. */
export function idIn(header: string | undefined): string | undefined {
  return header
    ?.split(';')
    .map((pair) => pair.trim().split('='))
    .find(([name]) => name === cookieName)?.[1]
}
