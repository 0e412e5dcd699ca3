/**
 * Clients of a Socket.IO server on raw TCP: what they say is what the real client says (Engine.IO protocol 4, Socket.IO
 * protocol 5), without what it costs to be one.
 */
import { connect, type Socket } from 'node:net'
import { sourceAddress } from './addresses.ts'
import { host, origin } from './protocol.ts'
import { handshakeRequest, textFrame } from './requests.ts'
import { ServerFrames } from './server-frames.ts'

/** Who calls whom. */
export interface EngineCall {
  readonly port: number
  /** JSON of `auth`; empty: none. */
  readonly auth: string
  /** Header lines of every request, each `Name: value`. */
  readonly lines: readonly string[]
}

/** How a client is carried. */
export type Carried = 'websocket' | 'polling, then upgrade'

/** An event that every measured server answers by its acknowledgement, and that answer. */
export const question = '420["ask",{"room":"lobby","text":"hello"}]'
export const answer = '430[{"room":"lobby","text":"hello"}]'

const path = '/socket.io/?EIO=4&transport='

/** Connects until the namespace has accepted, and, after polling, until the WebSocket has carried an event both ways. */
export function openEngine(call: EngineCall, carried: Carried): Promise<EnginePeer> {
  return carried === 'websocket' ? openWebSocket(call) : openPolling(call)
}

async function openWebSocket(call: EngineCall): Promise<EnginePeer> {
  const peer = await EnginePeer.open(call, 'websocket')
  await peer.hears('0{')
  peer.say(`40${call.auth}`)
  await peer.hears('40{')
  return peer
}

async function openPolling(call: EngineCall): Promise<EnginePeer> {
  const polls = new Polls(call)
  try {
    const sid = /"sid":"([^"]+)"/.exec(await polls.ask('GET', 'polling'))?.[1]
    if (sid === undefined) throw new Error('no session')
    await polls.ask('POST', `polling&sid=${sid}`, `40${call.auth}`)
    const welcome = await polls.ask('GET', `polling&sid=${sid}`)
    if (!welcome.startsWith('40{')) throw new Error(`expected 40, got ${welcome}`)
    const peer = await EnginePeer.open(call, `websocket&sid=${sid}`)
    peer.say('2probe')
    await peer.hears('3probe')
    peer.say('5')
    peer.say(question)
    await peer.hears(answer)
    return peer
  } finally {
    polls.drop()
  }
}

/** A connection that is a WebSocket. */
export class EnginePeer {
  readonly socket: Socket
  readonly #frames: ServerFrames
  readonly #texts: string[] = []
  #waiting: { readonly start: string; readonly settle: PromiseWithResolvers<void> } | undefined
  #head = ''
  #upgraded = false
  readonly #chunk = (chunk: Buffer): void => this.#takes(chunk)

  private constructor(call: EngineCall, target: string) {
    this.#frames = new ServerFrames((text) => this.#hears(text))
    this.socket = connectTo(call.port)
    this.socket.on('data', this.#chunk)
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => this.#waiting?.settle.reject(new Error('closed instead of an answer')))
    this.socket.write(handshakeRequest({ target: path + target, lines: call.lines }))
  }

  /** Opens one. @throws Error when it is not answered with 101 */
  static async open(call: EngineCall, target: string): Promise<EnginePeer> {
    const peer = new EnginePeer(call, target)
    await peer.hears('HTTP/1.1 101')
    return peer
  }

  /** Waits for the next text. @throws Error when it begins otherwise, or when there is none */
  hears(start: string): Promise<void> {
    const settle = Promise.withResolvers<void>()
    this.#waiting = { start, settle }
    this.#look()
    return settle.promise
  }

  say(packet: string): void {
    this.socket.write(textFrame(packet))
  }

  /** Hands the connection over: from here on its bytes are the caller's. */
  raw(): Socket {
    this.socket.off('data', this.#chunk)
    return this.socket
  }

  drop(): void {
    this.socket.resetAndDestroy()
  }

  #takes(chunk: Buffer): void {
    if (this.#upgraded) {
      this.#frames.take(chunk)
      return
    }
    this.#head += chunk.toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end === -1) return
    this.#upgraded = true
    this.#hears(this.#head.slice(0, end))
    this.#frames.take(Buffer.from(this.#head.slice(end + 4), 'latin1'))
  }

  #hears(text: string): void {
    this.#texts.push(text)
    this.#look()
  }

  #look(): void {
    if (this.#waiting === undefined) return
    const text = this.#texts.shift()
    if (text === undefined) return
    const { start, settle } = this.#waiting
    this.#waiting = undefined
    if (text.startsWith(start)) settle.resolve()
    else settle.reject(new Error(`expected ${start}, got ${text.slice(0, 200)}`))
  }
}

/** Requests of one client over one connection, one after the other. */
class Polls {
  readonly #socket: Socket
  readonly #lines: readonly string[]
  #text = ''
  #waiting: PromiseWithResolvers<string> | undefined

  constructor({ port, lines }: EngineCall) {
    this.#lines = lines
    this.#socket = connectTo(port)
    this.#socket.on('data', (chunk: Buffer) => this.#takes(chunk))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => this.#waiting?.reject(new Error('closed instead of an answer')))
  }

  /** @returns the body. @throws Error for any answer but 200 */
  ask(method: 'GET' | 'POST', target: string, body = ''): Promise<string> {
    const waiting = Promise.withResolvers<string>()
    this.#waiting = waiting
    const lines = [
      `${method} ${path}${target} HTTP/1.1`,
      `Host: ${host}`,
      `Origin: ${origin}`,
      'Accept: */*',
      'Accept-Language: en-GB,en;q=0.9',
      ...this.#lines,
      ...(method === 'POST'
        ? ['Content-Type: text/plain;charset=UTF-8', `Content-Length: ${body.length}`]
        : []),
    ]
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')
    return waiting.promise
  }

  drop(): void {
    this.#socket.resetAndDestroy()
  }

  #takes(chunk: Buffer): void {
    this.#text += chunk.toString('latin1')
    const end = this.#text.indexOf('\r\n\r\n')
    const length = /content-length: (\d+)/i.exec(this.#text)?.[1]
    if (end === -1 || length === undefined || this.#text.length < end + 4 + Number(length)) return
    const text = this.#text
    this.#text = ''
    if (text.startsWith('HTTP/1.1 200')) this.#waiting?.resolve(text.slice(end + 4))
    else this.#waiting?.reject(new Error(`expected 200, got ${text.slice(0, 200)}`))
  }
}

let connections = 0

/** Whoever closes first waits before the port is free again: one address would run out of ports. */
function connectTo(port: number): Socket {
  return connect({ port, host: '127.0.0.1', noDelay: true, localAddress: sourceAddress(connections++) })
}
