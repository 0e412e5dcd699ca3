/** Throw-away accounts: each case that ends a lease has one of its own, so that it disturbs nobody. */
import type { Guard, PasswordHasher, Records } from 'countersign'
import { nodePlatform } from 'countersign/platform/node'
import type { Program } from './guest-program.ts'
import { setDisabled, setRoles, type AccountTools } from '../server/accounts.ts'

/** What guests are made with. */
export interface GuestTools {
  readonly records: Records
  readonly passwords: PasswordHasher
  readonly issuer: Guard
}

/** An account for one case, its login, and who asked for it. */
export interface Guest {
  /** Random: whoever does not know it cannot name this guest. */
  readonly id: string
  readonly username: string
  /** Subject of the login that asked: it may have logged in anew since then. */
  readonly owner: string
  /** Door that it is for. */
  readonly door: string
  /** The login that its credentials descend from. */
  readonly login: { readonly id: string; readonly secret: string }
  /** Opens sockets and refreshes leases of this guest; nothing else. */
  readonly apiKey: string
  /** The program that holds its socket where pages cannot. */
  program: Promise<Program> | undefined
  /** Done when the guest leaves. */
  readonly farewells: (() => void)[]
}

/** Accounts at once. A run of every case at every door has fewer. */
export const maxGuests = 96
/** How long a guest may stay, ms: it leaves by itself when its page has gone. */
export const guestMs = 45_000

const rolesOfGuests = ['user', 'speaker'] as const

/** The role that `removeRole` takes away; what is left is `user`. */
export const guestRole: string = rolesOfGuests[1]

/** Hands out accounts from a fixed list of names, so that nothing grows however many cases run. */
export class Guests {
  readonly #tools: GuestTools
  readonly #account: AccountTools
  readonly #free: string[]
  readonly #guests = new Map<string, Guest>()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #leaving = new Set<Promise<void>>()

  constructor(tools: GuestTools) {
    this.#tools = tools
    this.#account = { ...tools, guard: tools.issuer, clock: nodePlatform().clock }
    this.#free = Array.from({ length: maxGuests }, (_, index) => `guest-${index + 1}`)
  }

  /** Names that nobody has now. */
  get free(): number {
    return this.#free.length
  }

  /** Makes one. The account has no password: nobody can log in as it. @returns `undefined` when all names are taken */
  async invite(owner: string, door: string): Promise<Guest | undefined> {
    const username = this.#free.shift()
    if (username === undefined) return undefined
    const { records, issuer } = this.#tools
    const roles = [...rolesOfGuests]
    const now = Date.now()
    await records.putAccount({ username, roles, passwordHash: undefined, disabled: false, changedAtMs: now })
    const login = await issuer.issue.session({ subject: username, roles, ttlMs: guestMs })
    const { key } = await issuer.issue.apiKey({ subject: username, name: 'lab guest', roles, ttlMs: guestMs })
    const guest: Guest = {
      id: nodePlatform().random(16),
      username,
      owner,
      door,
      login: { id: login.id, secret: login.session },
      apiKey: key,
      program: undefined,
      farewells: [],
    }
    this.#guests.set(guest.id, guest)
    this.#timers.set(
      guest.id,
      setTimeout(() => void this.leave(guest), guestMs),
    )
    return guest
  }

  /** A guest, for whoever asked for it and for the guest itself; foreign and unknown ones are alike `undefined`. */
  find(id: string, subject: string): Guest | undefined {
    const guest = this.#guests.get(id)
    return guest?.owner === subject || guest?.username === subject ? guest : undefined
  }

  /** Whether this subject is a guest: guests invite nobody. */
  isGuest(subject: string): boolean {
    return /^guest-\d+$/.test(subject)
  }

  /** Takes a role away, as an administrator would: whatever was opened with it ends. */
  async removeRole({ username }: Guest): Promise<void> {
    await setRoles(
      this.#account,
      username,
      rolesOfGuests.filter((role) => role !== guestRole),
    )
  }

  /** Ends whatever the guest has, and takes the account back. Once, however often it is called. */
  async leave(guest: Guest): Promise<void> {
    if (!this.#guests.delete(guest.id)) return
    clearTimeout(this.#timers.get(guest.id))
    this.#timers.delete(guest.id)
    const leaving = this.#takeBack(guest)
    this.#leaving.add(leaving)
    await leaving
    this.#leaving.delete(leaving)
  }

  /** Everyone leaves. */
  async close(): Promise<void> {
    for (const guest of this.#guests.values()) void this.leave(guest)
    await Promise.all(this.#leaving)
  }

  async #takeBack({ username, farewells }: Guest): Promise<void> {
    await setDisabled(this.#account, username, true)
    for (const farewell of farewells) farewell()
    this.#free.push(username)
  }
}
