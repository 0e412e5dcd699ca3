/** What the bench says to processes that run the library's own clients. */

/** The WebSocket beneath a client. */
export type BaseKind = 'runtime' | 'ws'

/** Connections that exchange echoes, of one kind. */
export interface EchoOrder {
  /** The base itself, the least that can stand before it, or the library's client upon it. */
  readonly as: 'bare' | 'least' | 'CountersignSocket'
  readonly base: BaseKind
  readonly url: string
  /** How a `CountersignSocket` shows its credential; a bare one has it in the URL. */
  readonly carrier: 'query' | 'firstMessage'
  /** One for each connection. */
  readonly credentials: readonly string[]
}

/** Questions to clients that are measured. */
export interface EchoQuestions {
  /** Opens connections, once. */
  open: { readonly ask: EchoOrder; readonly answer: undefined }
  /** Exchanges so many echoes over each connection, one at a time. */
  exchange: {
    readonly ask: { readonly roundTrips: number }
    readonly answer: { readonly us: number; readonly elapsedMs: number }
  }
}

/** Clients that connect, come back, or give up. */
export interface StormOrder {
  readonly port: number
  /** Number of the first client; the others follow. */
  readonly first: number
  /** Tokens of each client, shown in turn, and then the last one ever again. */
  readonly tokens: readonly (readonly string[])[]
}

/** How they are. */
export interface StormState {
  readonly open: number
  readonly closed: number
  /** Attempts of all since the start, begun by asking for a token. */
  readonly attempts: number
}

/** Questions to a crowd of the library's clients. */
export interface StormQuestions {
  /** Makes clients, and waits until all of them are open. */
  gather: { readonly ask: StormOrder; readonly answer: undefined }
  state: { readonly ask: undefined; readonly answer: StormState }
  /** When each client began its first attempt after an instant, by `monotonicMs`; who began none is left out. */
  firstAttempts: { readonly ask: { readonly sinceMs: number }; readonly answer: readonly number[] }
}
