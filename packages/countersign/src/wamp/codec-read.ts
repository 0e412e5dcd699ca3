/** Bytes → messages: the table of shapes, walked with the reader of one serializer. */
import type { Malformed } from './codec.ts'
import { SpanPayload, type Span, type SpanOrigin } from './codec-span.ts'
import { noDict, type Dict, type Message } from './messages.ts'
import { requestOfCode, shapes, Slots, type ElementKind, type Shape } from './shapes.ts'

/**
 * Walks the outermost array of one message. Each method reads the element at hand and steps over it; `undefined`, and -1,
 * mean that something else stands there: the walk ends.
 */
export interface ElementReader {
  /** What payloads of this serializer are made from. */
  readonly origin: SpanOrigin
  /** The message that is walked. */
  readonly bytes: Uint8Array
  /** Where the walk is: behind the last element that was read. */
  readonly at: number
  /** Begins a walk. `false`: no array. */
  start(bytes: Uint8Array): boolean
  /** Whether one more element begins here, or so it seems. */
  next(): boolean
  /** Whether the array has ended, and the bytes with it. */
  ended(): boolean
  /** A non-negative integer up to 2^53, however it is written; or -1. */
  integer(): number
  text(): string | undefined
  /** A text that recurs in many messages. */
  uri(): string | undefined
  /** Whether null stands here; steps over it if so. */
  nothing(): boolean
  dict(): Dict | undefined
  /** Validates a list, all the way down; where it begins, or -1. */
  list(): number
  /** Validates a dictionary, all the way down; where it begins, or -1. */
  map(): number
}

// Constants: a refusal must not cost more than what it refuses, nor repeat any of it.
const notAnArray = malformed('no array')
const unknownCode = malformed('unknown message code')
const wrongElement = malformed('element of a wrong type, or too few')
const trailing = malformed('too many elements, or bytes behind the message')

function malformed(why: string): Malformed {
  return Object.freeze({ kind: 'malformed', why })
}

const largestCode = Math.max(...Object.values(shapes).map((shape) => shape.code))
/** By code: messages are read more often than there are rows to look through. */
const shapeOfCode: readonly (Shape | undefined)[] = Array.from({ length: largestCode + 1 }, (_, code) =>
  Object.values(shapes).find((shape) => shape.code === code),
)

/**
 * Reads one message; see `Codec.decode`. Elements beyond those of its shape are refused: what nobody looks at must not be
 * passed on, nor be mistaken for arguments.
 */
export function readMessage(reader: ElementReader, bytes: Uint8Array): Message | Malformed {
  if (!reader.start(bytes) || !reader.next()) return notAnArray
  const shape = shapeOfCode[reader.integer()]
  if (shape === undefined) return unknownCode
  const slots = new Slots()
  const { elements } = shape
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index]
    if (element === undefined) break
    if (!readElement(reader, element, slots)) return wrongElement
  }
  return reader.ended() ? shape.make(slots) : trailing
}

/** Reads what stands at hand into its slot. `false`: something else stands there, or nothing where something must. */
function readElement(reader: ElementReader, kind: ElementKind, slots: Slots): boolean {
  if (!reader.next()) return kind === 'payload' || kind === 'revocation' || kind === 'ignored'
  switch (kind) {
    case 'id':
    case 'idOrZero':
      slots.id = reader.integer()
      return slots.id >= (kind === 'id' ? 1 : 0)
    case 'other':
      slots.other = reader.integer()
      return slots.other >= 1
    case 'dict':
      return readDict(reader, slots)
    case 'uri':
      return setText(slots, reader.uri())
    case 'text':
      return setText(slots, reader.text())
    case 'of':
      return readRequest(reader, slots)
    case 'realm':
      return reader.nothing() || readRealm(reader, slots)
    case 'revocation':
      slots.revocation = reader.dict()
      return slots.revocation !== undefined
    case 'payload':
      return readPayload(reader, slots)
    case 'ignored':
      return reader.list() >= 0 && (!reader.next() || reader.map() >= 0)
  }
}

function readDict(reader: ElementReader, slots: Slots): boolean {
  const dict = reader.dict()
  if (dict === undefined) return false
  slots.dict = dict
  return true
}

function setText(slots: Slots, text: string | undefined): boolean {
  if (text === undefined) return false
  slots.text = text
  return true
}

function readRequest(reader: ElementReader, slots: Slots): boolean {
  const request = requestOfCode(reader.integer())
  if (request === undefined) return false
  slots.of = request
  return true
}

function readRealm(reader: ElementReader, slots: Slots): boolean {
  slots.realm = reader.text()
  return slots.realm !== undefined
}

/** The payload stays bytes: validated here, decoded only when somebody looks. */
function readPayload(reader: ElementReader, slots: Slots): boolean {
  const from = reader.list()
  if (from < 0) return false
  const behindList = reader.at
  if (!reader.next()) slots.payload = spanOf(reader, { count: 1, from, to: behindList })
  else if (reader.map() < 0) return false
  else slots.payload = spanOf(reader, { count: 2, from, to: reader.at })
  return true
}

function spanOf(reader: ElementReader, span: Span): SpanPayload {
  return new SpanPayload(reader.origin, reader.bytes, span)
}

/**
 * Options or details as peers mean them: a member that is null, or that its serializer calls undefined, is absent.
 *
 * @param members own members of an object that nobody else holds
 */
export function presentMembers(members: Record<string, unknown>): Dict {
  for (const name of Object.keys(members)) {
    if (members[name] === null || members[name] === undefined) return withoutAbsent(members)
  }
  return members
}

function withoutAbsent(members: Record<string, unknown>): Dict {
  const present = Object.entries(members).filter(([, value]) => value !== null && value !== undefined)
  return present.length === 0 ? noDict : Object.fromEntries(present)
}
