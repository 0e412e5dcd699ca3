/** Handlers by row of a policy: what an application does with messages that passed, typed by what each row lets through. */
import type { WebSocket } from 'ws'
import { MisuseError } from '../core/errors.ts'
import type { ActionMessage, Actions, PassedMessage, ValueOf } from '../core/policy-options.ts'
import type { Policy } from '../core/policy.ts'

/** A handler for every row of a table. What one throws is the application's, as with any listener. */
export type ActionHandlers<A extends Actions> = {
  readonly [Name in keyof A & string]: (
    value: ValueOf<A[Name]>,
    message: PassedMessage<Name, A[Name]>,
  ) => void
}

/**
 * Calls the handler of the row under which each message of this socket passed. For a listener of your own there is the
 * event: `socket.on('action', (message: ActionMessage<typeof policy.actions>) => …)`.
 * @throws MisuseError when a row has no handler
 */
export function onActions<A extends Actions>(
  socket: WebSocket,
  policy: Policy<A>,
  handlers: ActionHandlers<A>,
): void {
  const byRow = new Map<string, unknown>(Object.entries(handlers))
  for (const name of Object.keys(policy.actions)) {
    if (typeof byRow.get(name) !== 'function') {
      throw new MisuseError('invalid_option', `onActions: ${JSON.stringify(name)} has no handler`)
    }
  }
  socket.on('action', (message: ActionMessage<A>) => {
    const handler = byRow.get(message.rule)
    // A handler of this row takes the value of this row: the table of handlers is typed by it.
    if (typeof handler === 'function') handler(message.value, message)
  })
}
