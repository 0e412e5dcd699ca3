/** D11 for guests: a path of their own where the browser's certificate stands for them, as long as they stay. */
import { tls, type Guard, type HandshakeCarrier } from 'countersign'
import { certificate } from 'countersign/methods'
import { upgradeListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'
import { greetAndEcho } from './greeting.ts'
import type { Guest } from './guests.ts'
import type { WebSocketRoute } from './web-socket-route.ts'

type Upgrade = WebSocketRoute['upgrade']

/** What is needed to let a guest in. */
export interface GuestCertificatesOptions {
  /** Makes a guard of D11 that takes this method and grants no longer leases. */
  readonly guardOf: (method: ReturnType<typeof certificate>, maxLeaseMs: number) => Guard
  /** `wss://localhost:8011/` */
  readonly url: string
  /** The site's table of doors: a refresh is judged by the door whose lease it is for. */
  readonly doors: Map<string, { readonly url: string; readonly guard: Guard }>
}

const prefix = '/guest/'
const maxMessageBytes = 64 * 1_024

/** A certificate lasts for weeks and names one person. A guard for each guest bounds the lease and names the guest. */
export class GuestCertificates {
  readonly #options: GuestCertificatesOptions
  readonly #doors = new Map<string, { readonly guard: Guard; readonly upgrade: Upgrade }>()

  constructor(options: GuestCertificatesOptions) {
    this.#options = options
  }

  /** Guards that are open now. */
  get guards(): readonly Guard[] {
    return [...this.#doors.values()].map(({ guard }) => guard)
  }

  /** Opens a path for the guest; it is closed when the guest leaves. @returns its URL */
  open(guest: Guest, maxLeaseMs: number): { readonly url: string; readonly guard: Guard } {
    const { guardOf, doors } = this.#options
    const path = prefix + guest.id
    const who = { subject: guest.username, roles: ['user', 'speaker'] }
    const guard = guardOf(certificate({ from: since(Date.now()), subjects: () => who }), maxLeaseMs)
    const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxMessageBytes })
    wss.on('connection', greetAndEcho)
    const url = new URL(path, this.#options.url).href
    this.#doors.set(path, { guard, upgrade: upgradeListener(wss, guard) })
    doors.set(path, { url, guard })
    guest.farewells.push(() => {
      this.#doors.delete(path)
      doors.delete(path)
      guard.close()
    })
    return { url, guard }
  }

  /** Who takes upgrades of this path; `undefined`: it is no guest's. */
  at(path: string): Upgrade | undefined {
    return this.#doors.get(path)?.upgrade
  }
}

/**
 * The certificate as if it had been made at this instant. It is older than the guest, whose name somebody had before, and
 * was revoked with.
 */
function since(atMs: number): HandshakeCarrier {
  const carrier = tls()
  return {
    ...carrier,
    find: ({ certificate, ...rest }) =>
      carrier.find({
        ...rest,
        certificate:
          certificate === undefined
            ? undefined
            : { ...certificate, notBeforeMs: Math.max(certificate.notBeforeMs, atMs) },
      }),
  }
}
