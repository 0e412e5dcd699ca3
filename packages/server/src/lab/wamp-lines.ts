/** WAMP messages as lines for people: their name, and no more of them than a reader has a use for. */

/** Types of messages by their code (WAMP, basic and advanced profile, "Message Codes"). */
const names: ReadonlyMap<unknown, string> = new Map([
  [1, 'HELLO'],
  [2, 'WELCOME'],
  [3, 'ABORT'],
  [4, 'CHALLENGE'],
  [5, 'AUTHENTICATE'],
  [6, 'GOODBYE'],
  [8, 'ERROR'],
  [16, 'PUBLISH'],
  [17, 'PUBLISHED'],
  [32, 'SUBSCRIBE'],
  [33, 'SUBSCRIBED'],
  [36, 'EVENT'],
  [48, 'CALL'],
  [50, 'RESULT'],
  [64, 'REGISTER'],
  [65, 'REGISTERED'],
  [68, 'INVOCATION'],
  [70, 'YIELD'],
])

/** A message in words. */
export interface WampLine {
  readonly text: string
  /** Whether this message of a router settles how the session goes: it refuses, or ends. */
  readonly deciding: boolean
}

/**
 * The line for a text frame of `wamp.2.json`; `undefined` for what is no message. What answers a challenge is left out:
 * it may be a password.
 */
export function wampLine(frame: string): WampLine | undefined {
  const message = parse(frame)
  const name = names.get(message?.[0])
  if (message === undefined || name === undefined) return undefined
  if (name === 'AUTHENTICATE' && message.length > 1) message[1] = '••••'
  const text = `${name} ${JSON.stringify(message, shorten)}`
  const isFarewell = name === 'GOODBYE' && message[2] !== 'wamp.close.goodbye_and_out'
  return { text, deciding: isFarewell || name === 'ABORT' || name === 'ERROR' }
}

function parse(frame: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(frame)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Both sides announce two dozen features: they would push what matters out of sight. */
function shorten(key: string, value: unknown): unknown {
  return key === 'roles' && typeof value === 'object' && value !== null ? Object.keys(value) : value
}
