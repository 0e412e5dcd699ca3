/** A token in the first message, the most reliable way, and the one that is renewed on the open socket. */
import { issued, type Carrier, type GetCredential } from './carrier.ts'

/** How a token is said. */
export interface FirstMessageOptions {
  /**
   * Whether the server answers: set to what `firstMessage({ replies })` of the guard says. Without answers the socket
   * counts as open when the token is sent, and its lease is not renewed in band. @default true
   */
  readonly replies?: boolean
}

/** `{"type":"auth","token":…}` on the open socket. The application's own messages follow when it has been accepted. */
export function firstMessage(getToken: GetCredential, options: FirstMessageOptions = {}): Carrier {
  const { replies = true } = options
  return async (target, ask) => {
    const got = issued(await getToken(ask))
    return {
      ...target,
      ...got,
      talk: { first: JSON.stringify({ type: 'auth', token: got.credential }), replies },
    }
  }
}
