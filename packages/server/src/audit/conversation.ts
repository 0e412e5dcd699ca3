/** A conversation with an endpoint by hand: a socket for each identity, and whatever one likes to say on it. */
import type { Scene } from './check.ts'
import { History, type Said } from './conversation-history.ts'
import type { Entry, Probe } from './dialects/dialect.ts'
import { opcodes } from './frames.ts'
import type { IdentityName, Presented } from './presented.ts'
import { anonymous } from './presented.ts'
import { Visit, type Ending, type Message } from './visit.ts'

/** What happens in a conversation. */
export type Event =
  /** A socket was tried; the words say what came of it. */
  | { readonly kind: 'opened'; readonly who: IdentityName; readonly words: string; readonly live: boolean }
  | { readonly kind: 'said'; readonly said: Said }
  | { readonly kind: 'closed'; readonly who: IdentityName; readonly ending: Ending }

/** Something that cannot be done now; the message says why. */
export class Impossible extends Error {
  override readonly name = 'Impossible'
}

const listenMs = 60_000

/** One conversation. Whoever begins one ends it. */
export class Conversation {
  readonly history: History = new History()
  readonly #scene: Scene
  readonly #tell: (event: Event) => void
  readonly #visits = new Map<IdentityName, Visit>()
  #who: IdentityName
  #origins: readonly string[]

  /** @param tell hears everything that happens, in order */
  constructor(scene: Scene, tell: (event: Event) => void) {
    this.#scene = scene
    this.#tell = tell
    this.#who = scene.baseline.low?.view.kind === 'open' ? 'low' : 'anonymous'
    this.#origins = [scene.endpoint.origin]
  }

  /** Whose socket is spoken on. */
  get who(): IdentityName {
    return this.#who
  }

  /** Speaks on another identity's socket from now on, and opens it unless it is. @throws Impossible, LoginFailed, BudgetSpent */
  async become(who: IdentityName): Promise<void> {
    await this.#socketOf(who)
    this.#who = who
  }

  /** The `Origin` of sockets that are opened from now on; `undefined` sends none. */
  setOrigin(origin: string | undefined): void {
    this.#origins = origin === undefined ? [] : [origin]
  }

  /** Sends a message of the protocol's own form, see `Probe`; text goes as it stands. @throws as `become` */
  async say(probe: Probe): Promise<void> {
    const { dialect, endpoint } = this.#scene
    for (const text of dialect.messagesOf(probe, endpoint)) await this.send(text)
  }

  /** Sends one message, as somebody. @throws as `become` */
  async send(data: string | Uint8Array, who: IdentityName = this.#who): Promise<void> {
    const visit = await this.#socketOf(who)
    this.#tell({ kind: 'said', said: this.history.add(who, 'scanner', data) })
    visit.send(data)
  }

  /** Sends one frame with an opcode of RFC 6455 §11.8. @throws as `become` */
  async sendFrame(opcode: number, payload: Uint8Array): Promise<void> {
    if (opcode === opcodes.binary) return this.send(payload)
    const visit = await this.#socketOf(this.#who)
    visit.sendFrame({ opcode, payload }, `a frame with opcode ${opcode}`)
  }

  /** Sends again what was said, on the same identity's socket or another's. @throws as `become` */
  async replay(number: number, who?: IdentityName): Promise<void> {
    const said = this.history.find(number)
    if (said === undefined) throw new Impossible(`there is no message ${number}, or it is forgotten`)
    await this.send(said.data, who ?? this.#who)
  }

  /** Closes the socket and opens another. @throws as `become` */
  async reopen(): Promise<void> {
    await this.close()
    await this.#socketOf(this.#who)
  }

  /** Closes the socket that is spoken on. */
  async close(): Promise<void> {
    await this.#visits.get(this.#who)?.leave()
    this.#visits.delete(this.#who)
  }

  /** Closes every socket. */
  async end(): Promise<void> {
    await Promise.all([...this.#visits.values()].map((visit) => visit.leave()))
    this.#visits.clear()
  }

  async #socketOf(who: IdentityName): Promise<Visit> {
    const open = this.#visits.get(who)
    if (open?.live === true) return open
    const { oracle, needs, endpoint, dialect } = this.#scene
    const presented = await this.#present(who)
    const visit = await Visit.open(needs, oracle.attempt(presented, { origins: this.#origins }))
    const entry: Entry = visit.opened
      ? await dialect.enter(visit, presented, { endpoint, ms: oracle.settleMs })
      : { kind: 'refused', words: wordsOf(visit) }
    this.#tell({ kind: 'opened', who, words: entryWords(entry), live: visit.live })
    if (!visit.live) throw new Impossible(`no socket is open as ${who}`)
    this.#visits.set(who, visit)
    void this.#listen(who, visit)
    return visit
  }

  async #present(who: IdentityName): Promise<Presented> {
    if (who === 'anonymous') return anonymous
    const identity = this.#scene[who]
    if (identity === undefined)
      throw new Impossible(`nobody is known as ${who}: the configuration names no such identity`)
    return identity.present()
  }

  /** Hears until the socket ends; what the protocol itself asks is answered. */
  async #listen(who: IdentityName, visit: Visit): Promise<void> {
    for (;;) {
      const message = await visit.next(listenMs)
      if (message !== undefined) this.#hear(who, visit, message)
      else if (visit.ending !== undefined) {
        this.#tell({ kind: 'closed', who, ending: visit.ending })
        return
      }
    }
  }

  #hear(who: IdentityName, visit: Visit, message: Message): void {
    const heard = this.#scene.dialect.read(message)
    if (heard.kind === 'control' && heard.answer !== undefined) {
      visit.send(heard.answer)
      return
    }
    const data = message.kind === 'text' ? message.text : message.bytes
    this.#tell({ kind: 'said', said: this.history.add(who, 'target', data) })
  }
}

function wordsOf({ answer }: Visit): string {
  return answer.kind === 'failed' ? `${answer.why}: ${answer.detail}` : `HTTP ${answer.status}`
}

function entryWords(entry: Entry): string {
  if (entry.kind === 'in') return 'open'
  return entry.kind === 'silent' ? 'open, but nothing says that one is in' : `refused: ${entry.words}`
}
