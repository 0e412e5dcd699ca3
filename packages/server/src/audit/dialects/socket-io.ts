/** Socket.IO 4 over Engine.IO 4 on a WebSocket. */
import { isJsonArray, isJsonObject, type Json } from 'countersign/wire'
import { jsonOf } from '../json-of.ts'
import type { Dialect, Entry } from './dialect.ts'

const ping = '2'
const pong = '3'

/** `/console,` before the payload of a packet; nothing for the main namespace. */
function prefix(namespace: string): string {
  return namespace === '/' ? '' : `${namespace},`
}

/** Socket.IO. */
export const socketIo: Dialect = {
  protocol: 'socket.io',
  subprotocols: [],
  addressOf({ url }) {
    const address = new URL(url)
    if (address.pathname === '/') address.pathname = '/socket.io/'
    address.searchParams.set('EIO', '4')
    address.searchParams.set('transport', 'websocket')
    return address
  },
  async enter(visit, { payload }, { endpoint, ms }) {
    const until = performance.now() + ms
    visit.send(`40${prefix(endpoint.namespace)}${payload === undefined ? '' : JSON.stringify(payload)}`)
    for (;;) {
      const message = await visit.next(Math.max(0, until - performance.now()))
      if (message === undefined) return silence(visit.live)
      const text = message.kind === 'text' ? message.text : ''
      if (text === ping) visit.send(pong)
      if (text.startsWith(`44${prefix(endpoint.namespace)}`)) return { kind: 'refused', words: text.slice(2) }
      if (text.startsWith(`40${prefix(endpoint.namespace)}`)) return { kind: 'in' }
    }
  },
  messagesOf(probe, { namespace }) {
    if (typeof probe === 'string') return [probe]
    const { event = '', args = [] } = probe
    const list: readonly Json[] = isJsonArray(args) ? args : [args]
    // An acknowledgement is always asked for: what a server answers there, it answers nowhere else.
    return [`42${prefix(namespace)}1${JSON.stringify([event, ...list])}`]
  },
  read(message) {
    if (message.kind === 'binary') return { kind: 'data', text: message.bytes.toString('utf8') }
    const { text } = message
    if (text === ping) return { kind: 'control', answer: pong }
    if (text.startsWith('44')) return { kind: 'refusal', text }
    if (!/^4[2356]/.test(text)) return { kind: 'control' }
    const start = text.search(/[[{]/)
    const body = start === -1 ? '' : text.slice(start)
    return isErrorAnswer(jsonOf(body)) ? { kind: 'refusal', text: body } : { kind: 'data', text: body }
  },
}

function silence(live: boolean): Entry {
  return live ? { kind: 'silent' } : { kind: 'refused', words: 'closed' }
}

/** What servers answer to an acknowledgement that they refuse: an object that has nothing but an error. */
function isErrorAnswer(value: Json | undefined): boolean {
  const first = isJsonArray(value) ? value[0] : undefined
  return isJsonObject(first) && 'error' in first && Object.keys(first).length <= 2
}
