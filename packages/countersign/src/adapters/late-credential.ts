/** A credential in the first message of somebody whom the handshake has let in: two that differ are refused. */
import { agree, type Credential } from '../core/credential.ts'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import { findCredential } from '../core/search.ts'
import type { GatedSocket, MessageFilter } from './gated-socket.ts'
import type { Opening } from './opening.ts'

/**
 * Looks at the first message of a socket, once. A token that is not the one of the URL, of a header or of a subprotocol
 * ends the lease as a `protocol_violation`, as two in the handshake would. The same one again, and one beside a cookie or a
 * certificate, which have decided, are taken out of what the application hears.
 */
export class LateCredential implements MessageFilter {
  readonly #guard: Guard
  readonly #socket: GatedSocket
  readonly #opening: Opening
  /** What was shown explicitly; `undefined`: nothing. */
  readonly #shown: Credential | undefined

  constructor(
    guard: Guard,
    socket: GatedSocket,
    { opening, handshake }: { readonly opening: Opening; readonly handshake: Handshake },
  ) {
    this.#guard = guard
    this.#socket = socket
    this.#opening = opening
    const finding = findCredential(guard.places, handshake)
    const explicit = finding.kind === 'credential' && !finding.place.carrier.ambient
    this.#shown = explicit ? finding.credential : undefined
  }

  /** See `MessageFilter`. */
  admits(data: unknown, isBinary: boolean): boolean {
    this.#socket.filter = undefined
    if (!Buffer.isBuffer(data)) return true
    const said = this.#opening(data, isBinary)
    if (said.kind === 'refused' || said.heard === undefined) return true
    const tokens = this.#guard.places.message.map((place) => place.carrier.read(said.text))
    const found = tokens.find(({ kind }) => kind !== 'absent')
    if (found === undefined) return true
    const same = found.kind === 'found' && (this.#shown === undefined || agree(this.#shown, found.value))
    if (!same) {
      this.#socket.lease?.apply({ kind: 'ended', reason: 'protocol_violation' }, this.#guard.now())
      return false
    }
    this.#socket.emit('message', said.heard, isBinary)
    return false
  }
}
