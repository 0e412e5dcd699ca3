/** A lean WAMP client over real sockets that says whatever a test wants to say. Its codecs are not the router's. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type SecureContextOptions } from 'node:tls'
import { createHmac, pbkdf2Sync } from 'node:crypto'
import { encode as encodeMsgpack, decode as decodeMsgpack } from '@msgpack/msgpack'
import { encode as encodeCbor, decode as decodeCbor } from 'cborg'
import { expect } from 'vitest'
import { WebSocket, type ClientOptions, type RawData } from 'ws'
import { until } from '../support/sockets.ts'
import type { Site } from './wamp-site.ts'

/** How messages are written. */
export type Format = 'json' | 'msgpack' | 'cbor'

/** Every format, in the order of RawSocket's numbers. */
export const formats: readonly Format[] = ['json', 'msgpack', 'cbor']

/** What carries the messages. */
export type Carriage = 'websocket' | 'batched' | 'rawsocket'

/** Both transports in each of their forms. */
export const carriages: readonly Carriage[] = ['websocket', 'batched', 'rawsocket']

/** A message of WAMP. */
export type Wamp = readonly unknown[]

/** Roles of a capable client. */
export const roles: Readonly<Record<string, unknown>> = {
  caller: { features: { call_canceling: true, progressive_call_results: true } },
  callee: {
    features: { call_canceling: true, progressive_call_results: true, registration_revocation: true },
  },
  publisher: {},
  subscriber: { features: { subscription_revocation: true } },
}

const codecs: Readonly<
  Record<Format, { encode(message: unknown): Uint8Array; decode(bytes: Uint8Array): unknown }>
> = {
  json: {
    encode: (message) => Buffer.from(JSON.stringify(message)),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
  },
  msgpack: { encode: encodeMsgpack, decode: decodeMsgpack },
  cbor: { encode: encodeCbor, decode: decodeCbor },
}

/** The client's side of TLS. */
export interface TlsSettings extends SecureContextOptions {
  readonly servername?: string
  readonly session?: Buffer
}

/** How to connect. */
export interface ClientSettings extends ClientOptions {
  readonly format?: Format
  readonly over?: Carriage
  /** Where the listeners speak TLS. */
  readonly tls?: TlsSettings
  /** High nibble of the length that RawSocket announces back. @default 1 MiB */
  readonly rawLimit?: number
  /** High nibble of the length that RawSocket announces: 0x00 is 512 bytes. @default 16 MiB */
  readonly rawTakes?: number
}

/** One client: `sent` by the router in order, and how it was closed. */
export class Client {
  readonly format: Format
  readonly over: Carriage
  /** Everything that was received, decoded. */
  readonly got: Wamp[] = []
  /** Payloads of RawSocket pongs. */
  readonly pongs: string[] = []
  /** Bytes of frames of the transport, as they came. */
  bytes: Buffer = Buffer.alloc(0)
  /** How it ended: `code` 1000 and up on WebSocket, 0 on RawSocket. */
  closedBy: { readonly code: number; readonly reason: string } | undefined = undefined
  readonly web: WebSocket | undefined
  readonly raw: Socket | undefined
  readonly #rawLimit: number
  readonly #rawTakes: number
  #shaken = false
  #request = 0

  constructor(site: Site, settings: ClientSettings) {
    const {
      format = 'json',
      over = 'websocket',
      rawLimit = 0xb0,
      rawTakes = 0xf0,
      tls = {},
      ...rest
    } = settings
    this.#rawLimit = rawLimit
    this.#rawTakes = rawTakes
    this.format = format
    this.over = over
    if (over === 'rawsocket') {
      this.raw = this.#connect(site, tls)
    } else {
      const name = `wamp.2.${format}${over === 'batched' ? '.batched' : ''}`
      this.web = this.#listen(new WebSocket(site.url, [name], { family: 4, ...tls, ...rest }))
    }
  }

  /** Connects and waits until the transport is open. */
  static async open(site: Site, settings: ClientSettings = {}): Promise<Client> {
    const client = new Client(site, settings)
    await until(() => client.open)
    return client
  }

  /** Whether the transport is open. */
  get open(): boolean {
    return this.web === undefined ? this.#shaken : this.web.readyState === WebSocket.OPEN
  }

  /** Connects and joins as anonymous. */
  static async joined(site: Site, settings: ClientSettings = {}): Promise<Client> {
    const client = await Client.open(site, settings)
    await client.join()
    return client
  }

  /** One message as the bytes that this transport carries. */
  pack(message: Wamp): Buffer {
    return this.envelope(Buffer.from(codecs[this.format].encode(message)))
  }

  /** Bytes of a message, or what passes for one, in the form in which this transport carries them. */
  envelope(body: Buffer): Buffer {
    if (this.over === 'rawsocket') return rawFrame(0, body)
    if (this.over !== 'batched') return body
    if (this.format === 'json') return Buffer.concat([body, Buffer.from([0x18])])
    const head = Buffer.alloc(4)
    head.writeUInt32BE(body.length)
    return Buffer.concat([head, body])
  }

  /** Sends a message. */
  send(...message: Wamp): void {
    this.sendBytes(this.pack(message))
  }

  /** Sends bytes: a WebSocket frame of the right type, or as they are. */
  sendBytes(bytes: Buffer): void {
    if (this.web === undefined) this.raw?.write(bytes)
    else this.web.send(bytes, { binary: this.format !== 'json' })
  }

  /** Sends a request, whose id is put behind the code. @returns its answer */
  async ask(code: number, ...rest: Wamp): Promise<Wamp> {
    const id = ++this.#request
    this.send(code, id, ...rest)
    return this.answer(id)
  }

  /** The answer to a request: its id stands behind the code, or behind the code of the request. */
  async answer(id: number): Promise<Wamp> {
    const find = (): Wamp | undefined =>
      this.got.find(([code, one, two]) =>
        code === 8 ? two === id : typeof code === 'number' && answers.has(code) && one === id,
      )
    await until(() => find() !== undefined)
    return find() ?? []
  }

  /** Waits for the n-th message of this code. */
  async heard(code: number, nth = 1): Promise<Wamp> {
    const find = (): Wamp | undefined => this.got.filter(([one]) => one === code)[nth - 1]
    await until(() => find() !== undefined || this.closedBy !== undefined)
    const found = find()
    if (found === undefined)
      throw new Error(`closed ${JSON.stringify(this.closedBy)}, got ${JSON.stringify(this.got)}`)
    return found
  }

  /** HELLO. */
  hello(details: Readonly<Record<string, unknown>> = {}, realm: unknown = 'realm1'): void {
    this.send(1, realm, { roles, ...details })
  }

  /** Joins without any credential, or with WAMP-CRA. @returns the session id */
  async join(authid?: string, secret = ''): Promise<number> {
    const nth = this.got.filter(([code]) => code === 2).length + 1
    this.hello(authid === undefined ? {} : { authmethods: ['wampcra'], authid })
    if (authid !== undefined) this.send(5, craSignature(secret, (await this.heard(4, nth))[2]), {})
    return Number((await this.heard(2, nth))[1])
  }

  /** Waits for the end of the transport. */
  async closed(): Promise<{ readonly code: number; readonly reason: string }> {
    await until(() => this.closedBy !== undefined)
    return this.closedBy ?? { code: -1, reason: '' }
  }

  /** Ends at once. */
  drop(): void {
    this.web?.terminate()
    this.raw?.destroy()
  }

  #listen(socket: WebSocket): WebSocket {
    socket.on('error', () => undefined)
    socket.on('close', (code, reason) => (this.closedBy = { code, reason: reason.toString() }))
    // `ws` delivers Buffers unless told otherwise.
    socket.on('message', (data: RawData) => this.#frame(data as Buffer))
    return socket
  }

  #frame(data: Buffer): void {
    const { decode } = codecs[this.format]
    if (this.over !== 'batched') this.got.push(decode(data) as Wamp)
    else for (const part of unbatch(data, this.format)) this.got.push(decode(part) as Wamp)
  }

  #connect(site: Site, tls: TlsSettings): Socket {
    const at = typeof site.raw === 'number' ? { port: site.raw, host: '127.0.0.1' } : { path: site.raw }
    const socket = site.tls ? connectTls({ ...at, ...tls }) : connect(at)
    socket.on('error', () => undefined)
    socket.on('close', () => (this.closedBy = { code: 0, reason: '' }))
    socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk])
      this.#unframe()
    })
    socket.write(Buffer.from([0x7f, this.#rawTakes | (formats.indexOf(this.format) + 1), 0, 0]))
    return socket
  }

  #unframe(): void {
    if (!this.#shaken) {
      if (this.bytes.length < 4) return
      expect([...this.bytes.subarray(0, 4)]).toEqual([
        0x7f,
        this.#rawLimit | (formats.indexOf(this.format) + 1),
        0,
        0,
      ])
      this.#shaken = true
      this.bytes = this.bytes.subarray(4)
    }
    while (this.bytes.length >= 4) {
      const size = 4 + this.bytes.readUIntBE(1, 3)
      if (this.bytes.length < size) return
      const body = this.bytes.subarray(4, size)
      if (this.bytes[0] === 0) this.got.push(codecs[this.format].decode(body) as Wamp)
      else this.pongs.push(body.toString())
      this.bytes = this.bytes.subarray(size)
    }
  }
}

/** Codes of messages whose second element is the id of the request that they answer. */
const answers: ReadonlySet<number> = new Set([17, 33, 35, 50, 65, 67])

/** A frame of RawSocket. @param kind 0 message, 1 ping, 2 pong */
export function rawFrame(kind: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeUIntBE(body.length, 1, 3)
  head[0] = kind
  return Buffer.concat([head, body])
}

function unbatch(data: Buffer, format: Format): readonly Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < data.length;) {
    const from = format === 'json' ? at : at + 4
    const end = format === 'json' ? data.indexOf(0x18, at) : from + data.readUInt32BE(at)
    parts.push(data.subarray(from, end))
    at = format === 'json' ? end + 1 : end
  }
  return parts
}

/** Answers a challenge of WAMP-CRA, plain or salted, as the specification writes it. */
export function craSignature(secret: string, extra: unknown): string {
  const { challenge, salt, iterations, keylen } = extra as Readonly<Record<string, string>> // as the method promises
  const key =
    salt === undefined
      ? secret
      : pbkdf2Sync(secret, salt, Number(iterations), Number(keylen), 'sha256').toString('base64')
  return createHmac('sha256', key).update(String(challenge)).digest('base64')
}
