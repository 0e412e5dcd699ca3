/** What the server refused, in plain words. */

const seconds = (retryIn) => {
  const whole = Math.max(1, Math.ceil(retryIn ?? 1))
  return whole >= 90 ? `${Math.ceil(whole / 60)} minutes` : `${whole} second${whole === 1 ? '' : 's'}`
}

const sentences = {
  too_many_attempts: ({ retry_in }) => `That was fast. The next message may go in ${seconds(retry_in)}.`,
  muted: ({ retry_in }) => `A moderator asked you to be quiet for another ${seconds(retry_in)}.`,
  forbidden: () => 'Your role does not allow this.',
  not_found: () => 'That is gone already.',
  message_too_big: () => 'That is too long.',
  invalid_message: ({ issues = [] }) => {
    const wrong = issues[0]?.path.at(-1)
    if (wrong === 'lat' || wrong === 'lon')
      return 'The position is not one on this planet. Update it and try again.'
    return 'A message is 1 to 500 characters on one line, without control characters.'
  },
  overloaded: () => 'The server is busy. Try again in a moment.',
  late: () => 'No answer came. Whether the message arrived is not known.',
}

/** One sentence for one refusal. */
export function refusalWords(error) {
  const sentence = sentences[error.reason]
  return sentence === undefined ? 'The server did not take that message.' : sentence(error)
}

/** Why the connection is over, by the reason of the guard, and whether logging in again helps. */
export const endings = {
  logged_out: 'You logged out. This chat is closed.',
  lease_expired: 'Your login has run out. Log in again to go on.',
  expired_credential: 'Your login has run out. Log in again to go on.',
  missing_credential: 'You are not logged in any more.',
  invalid_credential: 'You are not logged in any more.',
  revoked: 'Your login was ended by the operator.',
  too_many_attempts: 'Far too many messages came from this page. The connection was closed.',
  too_many_connections: 'You have this chat open in too many places. Close one and load this page again.',
}
