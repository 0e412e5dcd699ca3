/** Messages of the application's own, with nothing around them. */
import type { Dialect } from './dialect.ts'

/** A plain socket. Nobody says who is in: the oracle finds out. */
export const plain: Dialect = {
  protocol: 'plain',
  subprotocols: [],
  addressOf: ({ url }) => new URL(url),
  enter(visit, { first }) {
    if (first !== undefined) visit.send(first)
    return Promise.resolve({ kind: 'in' })
  },
  messagesOf: (probe) => [typeof probe === 'string' ? probe : JSON.stringify(probe)],
  read: (message) => ({
    kind: 'data',
    text: message.kind === 'text' ? message.text : message.bytes.toString('utf8'),
  }),
}
