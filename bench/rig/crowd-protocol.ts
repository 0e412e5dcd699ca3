/** What the bench and a crowd of clients say to each other. */

/** Questions to a crowd. Groups are the crowd's own names for sockets that were opened together. */
export interface CrowdQuestions {
  /** Opens a connection for each target and keeps them all. */
  open: {
    readonly ask: { readonly port: number; readonly group: string; readonly targets: readonly string[] }
    readonly answer: { readonly open: number }
  }
  /** Begins to send messages over a group's connections in turn, so many a second in all, whether answers come or not. */
  pulse: {
    readonly ask: { readonly group: string; readonly perSecond: number }
    readonly answer: undefined
  }
  /** Ends the pulse and tells of it. */
  still: { readonly ask: undefined; readonly answer: Pulse }
  /** Waits until a group is gone, or for so long. */
  gone: { readonly ask: { readonly group: string; readonly withinMs: number }; readonly answer: Gone }
  /** Drops all connections. */
  release: { readonly ask: undefined; readonly answer: undefined }
}

/** Messages in the order in which they were due. */
export interface Pulse {
  /** When each was due, by `monotonicMs`: a message that the sender was late with is as late for whoever waits for it. */
  readonly dueAtMs: readonly number[]
  /** From then to its echo; `null`: there was none. */
  readonly delayMs: readonly (number | null)[]
}

/** How connections ended, as clients see it, by `monotonicMs`. */
export interface Gone {
  readonly closeFrameAtMs: readonly number[]
  /** When the connection itself was over. */
  readonly endAtMs: readonly number[]
  /** How many are still open. */
  readonly open: number
}
