/** The router: realms, and the connections whose sessions are in them. Sockets, clock and randomness are lent. */
import { checkWhole, MisuseError, OutageError } from '../core/errors.ts'
import { createAuthority } from './authorization.ts'
import type { ConnectionFacts, ConnectionSettings } from './connection-facts.ts'
import { Connection } from './connection.ts'
import { Kills, type IsMeant } from './kills.ts'
import type { RealmOptions, RoleOptions, RouterLimits, RouterOptions } from './options.ts'
import type { RouterPorts } from './ports.ts'
import type { ServiceAnswer, ProcedureCall } from './realm-service.ts'
import { Realm } from './realm.ts'
import { routerLimitsOf, settingsOf } from './router-limits.ts'

/** Broker and dealer of its realms. Adapters `connect` what a guard has let pass. */
export class Router {
  readonly ports: RouterPorts
  readonly settings: ConnectionSettings
  /** See `ConnectionHost`. */
  readonly kills: Kills = new Kills()
  readonly #realms: ReadonlyMap<string, Realm>
  readonly #connections = new Set<Connection>()
  readonly #maxConnections: number
  #closed = false

  /** @throws MisuseError when two realms or roles have one name, or a limit is no whole number */
  constructor(options: RouterOptions, ports: RouterPorts) {
    const { procedureWaitMs, ...settings } = settingsOf(options)
    const limits = routerLimitsOf(options.limits)
    const strictProgress = options.strictProgress ?? false
    this.#maxConnections = options.maxConnections ?? 100_000
    checkWhole('maxConnections', this.#maxConnections, [1, 1_000_000_000])
    this.ports = ports
    this.settings = settings
    const make = (realm: RealmOptions): [string, Realm] => [
      realm.name,
      makeRealm(realm, { ports, limits, strictProgress, procedureWaitMs, kills: this.kills }),
    ]
    this.#realms = new Map(options.realms.map(make))
    if (this.#realms.size === options.realms.length) return
    throw new MisuseError('invalid_option', 'realms: each name once')
  }

  /** How many transports are connected, with a session or without. */
  get connections(): number {
    return this.#connections.size
  }

  /** The realm of this name. */
  realm(name: string): Realm | undefined {
    return this.#realms.get(name)
  }

  /** Names of all realms, in the order in which they were configured. */
  realmNames(): readonly string[] {
    return [...this.#realms.keys()]
  }

  /**
   * Takes a connection that has passed `guard.greet`. Feed it messages with `receive`; call `gone` when the transport is
   * gone, whoever has closed it.
   */
  connect(facts: ConnectionFacts): Connection {
    const connection = new Connection(this, facts)
    // The adapter does not hold it yet: of this one it will not say that it is gone.
    if (this.#closed) connection.shutDown()
    else if (this.#connections.size >= this.#maxConnections) connection.overloaded()
    else this.#connections.add(connection)
    return connection
  }

  /** See `ConnectionHost`. */
  left(connection: Connection): void {
    this.#connections.delete(connection)
  }

  /**
   * For transports that remember clients: whom the meta API kills is to be forgotten, whether a session ends by it or none.
   * @returns a function that ends the listening
   */
  onKilled(listener: (isMeant: IsMeant) => void): () => void {
    return this.kills.listen(listener)
  }

  /**
   * Calls a procedure on behalf of the router: authenticators and authorizers of the configuration. Only an exact
   * registration answers.
   * @throws OutageError `overloaded` when nobody has registered it, or nobody answers in time
   */
  async call({ realm, ...call }: ProcedureCall & { readonly realm: string }): Promise<ServiceAnswer> {
    const found = this.realm(realm)
    if (found === undefined)
      throw new OutageError('overloaded', 'a realm of the configuration does not exist')
    return await found.call(call)
  }

  /**
   * Other roles and rules for a realm, from now on: see `Realm.replaceRoles`.
   * @throws MisuseError when there is no such realm
   */
  replaceRoles(realm: string, roles: readonly RoleOptions[], reserved?: readonly string[]): void {
    const found = this.realm(realm)
    if (found === undefined) throw new MisuseError('invalid_option', 'realm: there is none of this name')
    found.replaceRoles(roles, reserved)
  }

  /** Ends every session by GOODBYE `wamp.close.system_shutdown`; whoever connects from now on is sent away. */
  close(): void {
    this.#closed = true
    for (const connection of this.#connections) connection.shutDown()
  }
}

interface RealmBuild {
  readonly ports: RouterPorts
  readonly limits: RouterLimits
  readonly strictProgress: boolean
  readonly procedureWaitMs: number
  readonly kills: Kills
}

function makeRealm(options: RealmOptions, build: RealmBuild): Realm {
  const { name: realm, roles, reserved } = options
  const { ports } = build
  return new Realm(options, {
    ...build,
    authority: (call) => createAuthority({ realm, roles, reserved, ports, call }),
  })
}
