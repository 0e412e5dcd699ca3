/** How clients of a framework speak: what the suite says in their place. */

/** What is sent in one message. */
export type Words = string | Buffer

/** A protocol as the suite needs it. */
export interface Speech {
  /** Subprotocols that its clients offer besides a token's, in their order. */
  readonly protocols: readonly string[]
  /** Where a client goes whose credential comes in its first message. */
  readonly path: string
  /** The first message, with its credential. */
  first(token: string): Words
  /** Whether that is answered, and the answer waited for. */
  readonly acknowledged: boolean
  /** What a client says first whose credential was in the handshake. */
  readonly opening: readonly Words[]
  /** What makes the application greet, where it does not by itself. Each is said when the one before is answered. */
  readonly ask: readonly Words[]
  /** Whether the greeting is all that is heard until something is said. */
  readonly terse: boolean
  /** A message to the application. */
  say(text: string): Words
}

/** Messages are the application's own, texts as they are. */
export const plainSpeech: Speech = {
  protocols: [],
  path: '/chat?room=1',
  first: (token) => token,
  acknowledged: false,
  opening: [],
  ask: [],
  terse: true,
  say: (text) => text,
}
