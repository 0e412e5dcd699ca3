/** GraphQL over WebSocket: the protocol of today (`graphql-transport-ws`) and the one before it (`graphql-ws`). */
import { isJsonObject } from 'countersign/wire'
import { jsonOf } from '../json-of.ts'
import type { Dialect, Heard } from './dialect.ts'
import type { Message } from '../visit.ts'

/** The words in which the two protocols differ. */
interface Words {
  readonly start: string
  readonly data: string
}

let operations = 0

function graphql(protocol: 'graphql-transport-ws' | 'graphql-ws', words: Words): Dialect {
  return {
    protocol,
    subprotocols: [protocol],
    addressOf: ({ url }) => new URL(url),
    async enter(visit, { payload }, { ms }) {
      const until = performance.now() + ms
      visit.send(JSON.stringify({ type: 'connection_init', ...(payload === undefined ? {} : { payload }) }))
      for (;;) {
        const message = await visit.next(Math.max(0, until - performance.now()))
        if (message === undefined)
          return visit.live ? { kind: 'silent' } : { kind: 'refused', words: 'closed' }
        const type = typeOf(message)
        if (type === 'connection_ack') return { kind: 'in' }
        if (type === 'connection_error') return { kind: 'refused', words: textOf(message) }
      }
    },
    messagesOf(probe) {
      if (typeof probe === 'string') return [probe]
      operations += 1
      return [JSON.stringify({ id: `audit-${operations}`, type: words.start, payload: probe })]
    },
    read: (message) => readMessage(message, words),
  }
}

/** https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md */
export const graphqlTransportWs: Dialect = graphql('graphql-transport-ws', {
  start: 'subscribe',
  data: 'next',
})

/** The protocol of subscriptions-transport-ws. */
export const graphqlWs: Dialect = graphql('graphql-ws', { start: 'start', data: 'data' })

function readMessage(message: Message, { data }: Words): Heard {
  const text = textOf(message)
  const type = typeOf(message)
  if (type === 'ping') return { kind: 'control', answer: JSON.stringify({ type: 'pong' }) }
  if (type === 'error' || type === 'connection_error') return { kind: 'refusal', text }
  if (type !== data) return { kind: 'control' }
  const value = jsonOf(text)
  const payload = isJsonObject(value) ? value['payload'] : undefined
  const failed = isJsonObject(payload) && 'errors' in payload && (payload['data'] ?? null) === null
  return failed ? { kind: 'refusal', text } : { kind: 'data', text }
}

function typeOf(message: Message): unknown {
  const value = jsonOf(textOf(message))
  return isJsonObject(value) ? value['type'] : undefined
}

function textOf(message: Message): string {
  return message.kind === 'text' ? message.text : message.bytes.toString('utf8')
}
