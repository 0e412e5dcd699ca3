/** Judges what a connection is worth by who one is on it and what one hears there, never by a 101 alone. */
import { expectOf, identityIn, privateOf } from './configured-patterns.ts'
import type { Dialect, Entry } from './dialects/dialect.ts'
import { say } from './dialects/dialect.ts'
import type { Exchange } from './exchange.ts'
import type { Whoami } from './options.ts'
import { Pattern } from './pattern.ts'
import { anonymous, type Presented } from './presented.ts'
import type { Endpoint } from './target.ts'
import { Visit, type Attempt, type Message, type VisitNeeds } from './visit.ts'

/** What an attempt came to. */
export type View =
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'refused'; readonly at: 'http'; readonly status: number }
  /** Behind the 101: by a message, or by closing. */
  | {
      readonly kind: 'refused'
      readonly at: 'socket'
      readonly code: number | undefined
      readonly words: string
    }
  | {
      readonly kind: 'open'
      /** Who the target says one is; `undefined` when it says nothing that the configuration recognises. */
      readonly identity: string | undefined
      /** Private patterns that were heard. */
      readonly heard: readonly string[]
    }

/** A view with its evidence. */
export interface Sight {
  readonly view: View
  readonly exchange: Exchange
}

/** A socket that was entered and is still there, unless the view says otherwise. Whoever gets one leaves its visit. */
export interface Stay extends Sight {
  readonly visit: Visit
}

/** In, as far as can be seen. */
type Entered = Exclude<Entry, { readonly kind: 'refused' }>

const openAsNobody: View = { kind: 'open', identity: undefined, heard: [] }

/** What may differ from a good client's attempt. */
export type Changes = Partial<Attempt>

/** What the configuration tells the oracle. */
export interface OracleOptions {
  readonly whoami: Whoami | undefined
  readonly private: readonly string[]
  readonly settleMs: number
}

/** The oracle of one audit. */
export class Oracle {
  readonly #needs: VisitNeeds
  readonly #endpoint: Endpoint
  readonly #dialect: Dialect
  readonly #whoami: Whoami | undefined
  readonly #expect: Pattern | undefined
  readonly #private: readonly Pattern[]
  readonly settleMs: number

  /** @throws SyntaxError for a pattern that is none */
  constructor(place: { needs: VisitNeeds; endpoint: Endpoint; dialect: Dialect }, options: OracleOptions) {
    this.#needs = place.needs
    this.#endpoint = place.endpoint
    this.#dialect = place.dialect
    this.#whoami = options.whoami
    this.#expect = expectOf(place.needs.budget, options.whoami)
    this.#private = privateOf(place.needs.budget, options.private)
    this.settleMs = options.settleMs
  }

  /** Whether identity or private data can be recognised at all. */
  get sees(): boolean {
    return this.#expect !== undefined || this.#private.length > 0
  }

  /** A good client's attempt with these credentials, and with what a check changes in it. */
  attempt(presented: Presented, changes: Changes = {}): Attempt {
    const url = this.#dialect.addressOf(this.#endpoint)
    for (const [name, value] of presented.query) url.searchParams.set(name, value)
    return {
      url,
      origins: [this.#endpoint.origin],
      ...changes,
      tls: { ...presented.tls, ...changes.tls },
      subprotocols: changes.subprotocols ?? [
        ...presented.subprotocols,
        ...this.#endpoint.subprotocols,
        ...this.#dialect.subprotocols,
      ],
      headers: [...this.#endpoint.headers, ...presented.headers, ...(changes.headers ?? [])],
    }
  }

  /** Tries to enter, finds out who one is there, and leaves. */
  async look(presented: Presented, changes: Changes = {}): Promise<Sight> {
    const { view, visit } = await this.stay(presented, changes)
    await visit.leave()
    return { view, exchange: visit.exchange }
  }

  /** Tries to enter, finds out who one is there, and stays. */
  async stay(presented: Presented, changes: Changes = {}): Promise<Stay> {
    const visit = await Visit.open(this.#needs, this.attempt(presented, changes))
    const view = await this.#viewOf(visit, presented)
    return {
      view,
      visit,
      get exchange() {
        return visit.exchange
      },
    }
  }

  /** Enters, and asks nothing: for sockets that were good a moment ago. The view says only whether the way in was open. */
  async enter(presented: Presented, changes: Changes = {}): Promise<Stay> {
    const visit = await Visit.open(this.#needs, this.attempt(presented, changes))
    const door = await this.#doorOf(visit, presented)
    return {
      view: door.kind === 'in' || door.kind === 'silent' ? openAsNobody : door,
      visit,
      get exchange() {
        return visit.exchange
      },
    }
  }

  /** A bare handshake of nobody: whether the target still answers. */
  async knock(): Promise<'reachable' | 'unreachable'> {
    const visit = await Visit.open(this.#needs, this.attempt(anonymous))
    await visit.leave()
    return visit.answer.kind === 'failed' ? 'unreachable' : 'reachable'
  }

  /** Asks on an open socket who one is. */
  async ask(visit: Visit): Promise<View> {
    if (this.#whoami?.send !== undefined)
      say(visit, this.#dialect, { probe: this.#whoami.send, endpoint: this.#endpoint })
    return this.#listen(visit)
  }

  /** As `ask`, where one has just been let in: a greeting in what lets one in says who one is, unless that is asked for. */
  async #askAtTheDoor(visit: Visit, greeting: Message | undefined): Promise<View> {
    if (this.#whoami?.send !== undefined) return this.ask(visit)
    return this.#listen(visit, greeting)
  }

  /** The same oracle for another namespace, realm or address of the endpoint. */
  at(place: Partial<Endpoint>): Oracle {
    return new Oracle(
      { needs: this.#needs, endpoint: { ...this.#endpoint, ...place }, dialect: this.#dialect },
      {
        whoami: this.#whoami,
        private: this.#private.map((pattern) => pattern.source),
        settleMs: this.settleMs,
      },
    )
  }

  /** What is heard on a socket until `until` says that it is enough, or time is over. */
  async hear(
    visit: Visit,
    until: (text: string, kind: 'data' | 'refusal') => boolean,
    withinMs: number,
  ): Promise<string | undefined> {
    const end = performance.now() + withinMs
    for (;;) {
      const message = await visit.next(Math.max(0, end - performance.now()))
      if (message === undefined) return undefined
      const heard = this.#dialect.read(message)
      if (heard.kind === 'control') {
        if (heard.answer !== undefined) visit.send(heard.answer)
      } else if (until(heard.text, heard.kind)) return heard.text
    }
  }

  /** Where a text says who one is, and then where it holds each kind of private data. */
  #find(text: string): readonly (RegExpExecArray | null)[] {
    const expect = this.#expect
    if (expect === undefined) return [null, ...Pattern.each(this.#private, text)]
    return Pattern.each([expect, ...this.#private], text)
  }

  async #viewOf(visit: Visit, presented: Presented): Promise<View> {
    const door = await this.#doorOf(visit, presented)
    if (door.kind === 'in') return this.#askAtTheDoor(visit, door.greeting)
    return door.kind === 'silent' ? openAsNobody : door
  }

  /** Whether one is in, or how the way in is closed. */
  async #doorOf(visit: Visit, presented: Presented): Promise<View | Entered> {
    const { answer } = visit
    if (answer.kind === 'failed') return { kind: 'unreachable', why: `${answer.why}: ${answer.detail}` }
    if (answer.status !== 101) return { kind: 'refused', at: 'http', status: answer.status }
    const within = { endpoint: this.#endpoint, ms: this.settleMs }
    const entry = await this.#dialect.enter(visit, presented, within)
    if (entry.kind !== 'refused') return entry
    return {
      kind: 'refused',
      at: 'socket',
      code: visit.ending?.code,
      words: visit.ending?.reason || entry.words,
    }
  }

  async #listen(visit: Visit, greeting?: Message): Promise<View> {
    const heard = new Set<string>()
    let refusal: string | undefined
    const recognise = (message: Message, text: string): string | undefined => {
      const [match, ...found] = this.#find(text)
      const shared = this.#private.filter((_pattern, at) => found[at] !== null)
      for (const pattern of shared) heard.add(pattern.source)
      const who = identityIn(match)
      if (shared.length > 0 || who !== undefined) visit.mark(message)
      return who
    }
    let identity = greeting?.kind === 'text' ? recognise(greeting, greeting.text) : undefined
    const until = performance.now() + this.settleMs
    while (identity === undefined) {
      const message = await visit.next(Math.max(0, until - performance.now()))
      if (message === undefined) break
      const said = this.#dialect.read(message)
      if (said.kind === 'control') {
        if (said.answer !== undefined) visit.send(said.answer)
        continue
      }
      if (said.kind === 'refusal') refusal ??= said.text
      identity = recognise(message, said.text)
    }
    const { ending } = visit
    if (identity === undefined && heard.size === 0) {
      if (ending !== undefined)
        return {
          kind: 'refused',
          at: 'socket',
          code: ending.code,
          words: ending.reason || (ending.why ?? ''),
        }
      if (refusal !== undefined)
        return { kind: 'refused', at: 'socket', code: undefined, words: refusal.slice(0, 200) }
    }
    return { kind: 'open', identity, heard: [...heard] }
  }
}

/** A view in words. */
export function describeView(view: View): string {
  if (view.kind === 'unreachable') return `unreachable (${view.why})`
  if (view.kind === 'refused')
    return view.at === 'http'
      ? `refused with ${view.status}`
      : `refused behind the 101 (${view.code ?? 'by a message'})`
  if (view.identity !== undefined) return `open as ${view.identity}`
  return view.heard.length > 0 ? 'open, private data heard' : 'open, nobody in particular'
}
