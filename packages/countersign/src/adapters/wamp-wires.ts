/** The framings of WAMP over WebSocket: one object for each serializer, plain and batched (WAMP, advanced profile). */
import { closeBatch, openBatch } from '../wamp/batch.ts'
import { cborCodec } from '../wamp/cbor-codec.ts'
import type { Codec } from '../wamp/codec.ts'
import { jsonCodec } from '../wamp/json-codec.ts'
import type { RouterMessage } from '../wamp/messages.ts'
import { msgpackCodec } from '../wamp/msgpack-codec.ts'
import type { Serialization } from '../wamp/payload.ts'
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

/** Bytes before a message: the longest WebSocket header that a server writes (RFC 6455 §5.2, unmasked). */
const headerRoom = 10

/** One subprotocol. */
export class WebSocketWire implements Wire {
  /** Subprotocol, as it is negotiated: `wamp.2.json`. */
  readonly name: string
  readonly slot: number
  readonly codec: Codec
  readonly batched: boolean
  readonly #opcode: number

  constructor(codec: Codec, batched: boolean, slot: number) {
    this.name = `wamp.2.${codec.serialization}${batched ? '.batched' : ''}`
    this.slot = slot
    this.codec = codec
    this.batched = batched
    this.#opcode = codec.binary ? 0x82 : 0x81
  }

  /** See `Wire`: header and message in one piece of memory, so that one write carries both. */
  frame(message: RouterMessage): Uint8Array {
    if (!this.batched) return framed(this.codec.encode(message, headerRoom), this.#opcode)
    return framed(
      closeBatch(this.codec.encode(message, headerRoom + openBatch), this.codec, headerRoom),
      this.#opcode,
    )
  }
}

/** Writes the header before a message that begins at `headerRoom`. */
function framed(bytes: Uint8Array, opcode: number): Uint8Array {
  const length = bytes.length - headerRoom
  if (length < 126) {
    bytes[8] = opcode
    bytes[9] = length
    return bytes.subarray(8)
  }
  if (length < 65_536) {
    bytes[6] = opcode
    bytes[7] = 126
    bytes[8] = length >>> 8
    bytes[9] = length
    return bytes.subarray(6)
  }
  bytes[0] = opcode
  bytes[1] = 127
  bytes.fill(0, 2, 6)
  bytes[6] = length >>> 24
  bytes[7] = length >>> 16
  bytes[8] = length >>> 8
  bytes[9] = length
  return bytes
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
  if (offered === undefined) return required ? undefined : wires.find((wire) => wire.name === 'wamp.2.json')
  const names = parseSubprotocols(offered)
  if (names.kind !== 'found') return undefined
  for (const name of names.value) {
    const wire = wires.find((one) => one.name === name)
    if (wire !== undefined) return wire
  }
  return undefined
}
