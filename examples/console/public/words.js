/** Reasons and outcomes in plain words. */

/** Why a command was not run, and what to do. */
const refusals = {
  forbidden: 'Not run: your role may not do this, or there is no such command. The list shows what is yours.',
  invalid_message: 'Not run: the server could not read this.',
  message_too_big: 'Not run: this is too long.',
  protocol_violation: 'Not run: the server could not read this.',
  too_many_attempts: 'Not run: too many messages in a short time. Wait a few seconds.',
  overloaded: 'Not run: the server is busy. Try again in a moment.',
  busy: 'Not run: too many of your commands are running. Stop one of them first.',
}

/** How a run ended. */
const outcomes = {
  done: 'done',
  failed: 'failed',
  stopped: 'stopped',
  out_of_time: 'ended: it took too long',
  too_much_output: 'ended: too much output',
  console_ended: 'ended with the console',
  refused: 'refused',
}

/** Why the console has ended, or was not opened. */
const ends = {
  logged_out: 'You have been logged out, here or in another tab. Nothing more reaches this console.',
  lease_expired: 'Your login is over. Log in again to go on.',
  expired_credential: 'Your login is over. Log in again to go on.',
  revoked: 'An administrator has ended your login.',
  missing_credential: 'Nobody is logged in here any more.',
  invalid_credential: 'Nobody is logged in here any more.',
  too_many_attempts: 'Too many messages: the server has closed this console.',
  too_many_connections: 'You have too many consoles open. Close one of them.',
  overloaded: 'The server is busy. Try again in a moment.',
}

/** @param {string} reason */
export function refusalInWords(reason) {
  return Object.hasOwn(refusals, reason) ? refusals[reason] : `Not run: ${reason}`
}

/** @param {string} outcome */
export function outcomeInWords(outcome) {
  return Object.hasOwn(outcomes, outcome) ? outcomes[outcome] : outcome
}

/** @param {string} reason */
export function endInWords(reason) {
  return Object.hasOwn(ends, reason) ? ends[reason] : `The server has closed this console: ${reason}.`
}
