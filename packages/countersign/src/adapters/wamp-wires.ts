/** The framings of WAMP over WebSocket: one object for each serializer, plain and batched (WAMP, advanced profile). */
import { closeBatch, openBatch } from '../wamp/batch.ts'
import { cborCodec } from '../wamp/cbor-codec.ts'
import type { Codec } from '../wamp/codec.ts'
import { jsonCodec } from '../wamp/json-codec.ts'
import type { RouterMessage } from '../wamp/messages.ts'
import { msgpackCodec } from '../wamp/msgpack-codec.ts'
import type { Serialization } from '../wamp/payload.ts'
import { goodbyeAndOut } from '../wamp/refusals.ts'
import { parseSubprotocols } from '../wire/subprotocol.ts'
import type { Wire } from './wamp-link.ts'
import { nodeBytes } from './wamp-node.ts'

/** Which framings a listener speaks. */
export interface WireOptions {
  /** @default all three */
  readonly serializations?: readonly Serialization[]
  /** Whether the batched forms are offered, too. @default true */
  readonly batched?: boolean
  /** Whether a client must offer a subprotocol; otherwise none offered means `wamp.2.json`, unannounced. @default true */
  readonly requireSubprotocol?: boolean
}

const codecs: Readonly<Record<Serialization, Codec>> = {
  json: jsonCodec({ lend: nodeBytes }),
  msgpack: msgpackCodec({ lend: nodeBytes }),
  cbor: cborCodec({ lend: nodeBytes }),
}

/** The codec of a byte stream: whether text is UTF-8, nobody has looked before. */
export function rawCodecOf(serialization: Serialization): Codec {
  return serialization === 'json' ? jsonCodec({ lend: nodeBytes, checkUtf8: true }) : codecs[serialization]
}

/** One subprotocol. */
export class WebSocketWire implements Wire {
  /** Subprotocol, as it is negotiated: `wamp.2.json`. */
  readonly name: string
  readonly slot: number
  readonly codec: Codec
  readonly batched: boolean
  readonly #opcode: number
  /** Size of the last header: the next message is likely to be as long, and then fits without a second look at memory. */
  #room = 2
  /** Frame of `goodbyeAndOut`. */
  #farewell: Uint8Array | undefined

  constructor(codec: Codec, batched: boolean, slot: number) {
    this.name = `wamp.2.${codec.serialization}${batched ? '.batched' : ''}`
    this.slot = slot
    this.codec = codec
    this.batched = batched
    this.#opcode = codec.binary ? 0x82 : 0x81
  }

  /** See `Wire`: header and message in one piece of memory, so that one write carries both. */
  frame(message: RouterMessage): Uint8Array {
    return message === goodbyeAndOut ? (this.#farewell ??= this.#made(message)) : this.#made(message)
  }

  #made(message: RouterMessage): Uint8Array {
    const { codec, batched } = this
    const room = this.#room
    const bytes = batched
      ? closeBatch(codec.encode(message, room + openBatch), codec, room)
      : codec.encode(message, room)
    const length = bytes.length - room
    const needed = headerSize(length)
    this.#room = needed
    const frame = needed === room ? bytes : fitted(bytes, room, needed)
    writeHeader(frame, this.#opcode, length)
    return frame
  }
}

/** Bytes of the header of a server's frame (RFC 6455 §5.2, unmasked): the shortest form is the only one. */
function headerSize(length: number): number {
  if (length < 126) return 2
  return length < 65_536 ? 4 : 10
}

/** The same message behind another header: the room before it was a guess. */
function fitted(bytes: Uint8Array, room: number, needed: number): Uint8Array {
  if (needed < room) return bytes.subarray(room - needed)
  const moved = nodeBytes.allocate(bytes.length - room + needed)
  moved.set(bytes.subarray(room), needed)
  return moved
}

function writeHeader(frame: Uint8Array, opcode: number, length: number): void {
  frame[0] = opcode
  if (length < 126) {
    frame[1] = length
  } else if (length < 65_536) {
    frame[1] = 126
    frame[2] = length >>> 8
    frame[3] = length
  } else {
    frame[1] = 127
    frame.fill(0, 2, 6)
    frame[6] = length >>> 24
    frame[7] = length >>> 16
    frame[8] = length >>> 8
    frame[9] = length
  }
}

const all: readonly Serialization[] = ['json', 'msgpack', 'cbor']
const plain = all.map((name, slot) => new WebSocketWire(codecs[name], false, slot))
const batched = all.map((name, slot) => new WebSocketWire(codecs[name], true, all.length + slot))

/** Number of the first slot that WebSocket does not use. */
export const firstFreeSlot: number = 2 * all.length

/** The framings that these options allow. */
export function wiresOf(options: WireOptions): readonly WebSocketWire[] {
  const wanted = new Set<Serialization>(options.serializations ?? all)
  return [...plain, ...((options.batched ?? true) ? batched : [])].filter((wire) =>
    wanted.has(wire.codec.serialization),
  )
}

/**
 * The client's first choice among these (RFC 6455 §4.2.2).
 * @returns `undefined`: nothing in common, or nothing was offered where that is required
 */
export function chooseWire(
  wires: readonly WebSocketWire[],
  offered: string | undefined,
  required: boolean,
): WebSocketWire | undefined {
  // What nearly every client offers, without making a list of it.
  const only = wires.find((wire) => wire.name === offered)
  if (only !== undefined) return only
  if (offered === undefined) return required ? undefined : wires.find((wire) => wire.name === 'wamp.2.json')
  const names = parseSubprotocols(offered)
  if (names.kind !== 'found') return undefined
  for (const name of names.value) {
    const wire = wires.find((one) => one.name === name)
    if (wire !== undefined) return wire
  }
  return undefined
}
