/** What the bench and a flood say to each other. */

/** What a stranger sends, in bytes; then it is silent and waits for the server to end the connection. */
export interface FloodOrder {
  readonly port: number
  /** Latin-1; empty: nothing. */
  readonly request: string
  readonly perSecond: number
  readonly forMs: number
  /** Connections open at once at most; where the server keeps more, new ones are not made and counted as skipped. */
  readonly maxOpen: number
  /** Number of the first source address; each connection has the next one. */
  readonly firstAddress: number
}

/** Questions to a flood. */
export interface FloodQuestions {
  /** Floods, and answers when that is over; connections that are still open stay so. */
  flood: { readonly ask: FloodOrder; readonly answer: FloodOutcome }
  /** How many connections the server has not ended yet. */
  open: { readonly ask: undefined; readonly answer: { readonly open: number } }
  /** Ends what is left. */
  drop: { readonly ask: undefined; readonly answer: undefined }
}

/** How a flood went. */
export interface FloodOutcome {
  readonly connected: number
  /** Refused or reset before they were connected. */
  readonly failed: number
  /** Not made because too many were open. */
  readonly skipped: number
  /** Most that were open at a time. */
  readonly mostOpen: number
  readonly elapsedMs: number
}
