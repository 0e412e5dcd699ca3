/**
 * Options of WebSocket transports: timings, bounds, origins, compression.
 *
 * Defaults are those of Crossbar.io, with one exception: messages always have a bound. Switches that would make
 * the protocol something else (RFC 6455) are accepted where they stand as they must, and warned of otherwise.
 */
import { compileOrigins } from 'countersign/wire'
import type { CompressionNode, WebSocketOptionsNode } from './node.ts'
import {
  below,
  complain,
  fixed,
  flag,
  ignored,
  list,
  members,
  nullable,
  optional,
  text,
  whole,
  without,
  type Reader,
  type Spot,
} from './reader.ts'
import { settingReaders, type WrittenSettings } from './settings.ts'

/** Largest message that may be allowed, bytes. */
const mostMessageBytes = 67_108_864
/** What holds where no bound is written: Crossbar.io's own default is none. */
const defaultMessageBytes = 16_777_216

/** Reads `max_message_size` of WebSocket and RawSocket. */
export const messageBytes: Reader<number> = optional(whole(1, mostMessageBytes), defaultMessageBytes)

/** Milliseconds: none, or at least a second. Smaller numbers were meant as seconds. */
const timing: Reader<number> = (spot) => {
  const ms = whole(0, 86_400_000)(spot)
  if (ms > 0 && ms < 1_000) complain(spot, 'is in milliseconds: 0, or at least 1000')
  return ms
}

/** A size for which 0 means none. */
const bytes = whole(0, mostMessageBytes)
const flash = without('cannot apply: browsers have no Flash any more')

/** Every key of `options`. */
const readers = {
  ...settingReaders,
  allowed_origins: optional(origins, 'any'),
  allow_null_origin: optional(flag, undefined),
  external_port: nullable(whole(1, 65_535)),
  enable_hybi10: ignored,
  enable_rfc6455: fixed(true, 'cannot apply: RFC 6455 is the protocol that is spoken'),
  open_handshake_timeout: optional(timing, 0),
  close_handshake_timeout: optional(timing, 0),
  enable_webstatus: optional(flag, true),
  validate_utf8: fixed(true, 'cannot apply: texts are always validated'),
  mask_server_frames: fixed(false, 'cannot apply: a server must not mask'),
  require_masked_client_frames: fixed(true, 'cannot apply: clients must mask'),
  apply_mask: fixed(true, 'cannot apply: masks are always applied'),
  max_frame_size: optional(bytes, 0),
  max_message_size: messageBytes,
  auto_fragment_size: optional(bytes, 0),
  fail_by_drop: optional(flag, false),
  echo_close_codereason: optional(flag, false),
  tcp_nodelay: optional(flag, true),
  auto_ping_interval: optional(timing, 0),
  auto_ping_timeout: optional(timing, 0),
  auto_ping_size: optional(whole(12, 125), 12),
  auto_ping_restart_on_any_traffic: optional(flag, true),
  enable_flash_policy: fixed(false, 'cannot apply: browsers have no Flash any more'),
  flash_policy: flash,
  compression: optional(compression, undefined),
  require_websocket_subprotocol: optional(flag, true),
  show_server_version: optional(flag, false),
}

/** What `options` say, besides what they say about sessions. */
export interface ReadOptions {
  readonly options: WebSocketOptionsNode
  readonly written: WrittenSettings
}

/**
 * Reads `options`. Credentials that browsers send unasked (cookie, certificate) are `ambient`: with them every
 * foreign page would speak for its visitor, so that origins must be listed and `null` is not among them.
 */
export function websocketOptions(spot: Spot, ambient: boolean): ReadOptions {
  const around = spot.value === undefined ? { ...spot, value: {} } : spot
  const read = members(around, readers)
  if (ambient) judgeAmbient(around, read.allowed_origins, read.allow_null_origin)
  const options = {
    allowedOrigins: read.allowed_origins,
    allowNullOrigin: read.allow_null_origin ?? !ambient,
    externalPort: read.external_port,
    openHandshakeTimeoutMs: read.open_handshake_timeout,
    closeHandshakeTimeoutMs: read.close_handshake_timeout,
    autoPingIntervalMs: read.auto_ping_interval,
    autoPingTimeoutMs: read.auto_ping_timeout,
    autoPingBytes: read.auto_ping_size,
    autoPingRestartOnAnyTraffic: read.auto_ping_restart_on_any_traffic,
    maxFrameBytes: read.max_frame_size,
    maxMessageBytes: read.max_message_size,
    autoFragmentBytes: read.auto_fragment_size,
    failByDrop: read.fail_by_drop,
    echoCloseCodeReason: read.echo_close_codereason,
    tcpNoDelay: read.tcp_nodelay,
    webStatus: read.enable_webstatus,
    requireSubprotocol: read.require_websocket_subprotocol,
    showServerVersion: read.show_server_version,
    compression: read.compression,
  }
  return { options, written: read }
}

/** Cookies and certificates go with every request, whoever’s page makes it. */
function judgeAmbient(spot: Spot, origins: 'any' | readonly string[], nullOrigin: boolean | undefined): void {
  if (origins === 'any') {
    complain(
      below(spot, 'allowed_origins'),
      'must list origins: browsers send cookies and certificates on behalf of every page that asks',
    )
  }
  if (nullOrigin === true || origins.includes('null')) {
    complain(
      below(spot, nullOrigin === true ? 'allow_null_origin' : 'allowed_origins'),
      'must not allow the origin "null": any page can give itself that origin',
    )
  }
}

/** A list of origins; `*` alone is any. */
function origins(spot: Spot): 'any' | readonly string[] {
  const patterns = list(originPattern)(spot)
  return patterns.includes('*') ? 'any' : patterns
}

/** An origin, exact or with a star for its left-most label; `*`. The scheme's own port may be written. */
function originPattern(spot: Spot): string {
  const written = text(300)(spot)
  const pattern = written
    .toLowerCase()
    .replace(/^(https:\/\/.+):443$/, '$1')
    .replace(/^(http:\/\/.+):80$/, '$1')
  if (pattern === '*' || pattern === '') return pattern
  try {
    compileOrigins([pattern])
  } catch {
    complain(
      spot,
      'is no origin: write https://app.example.com, or https://*.example.com for exactly one label more',
    )
  }
  return pattern
}

/** `compression`: permessage-deflate is the only extension that there is. */
function compression(spot: Spot): CompressionNode | undefined {
  return members(spot, { deflate: optional(deflate, undefined) }).deflate
}

const windowBits: Reader<number | undefined> = optional(whole(8, 15), undefined)

/** Parameters of RFC 7692 §7.1; a requested window of 0 bits means that none is requested. */
function deflate(spot: Spot): CompressionNode {
  const requested = (bits: Spot): number | undefined => (bits.value === 0 ? undefined : windowBits(bits))
  const read = members(spot, {
    request_no_context_takeover: optional(flag, false),
    request_max_window_bits: requested,
    no_context_takeover: optional(flag, false),
    max_window_bits: windowBits,
    memory_level: optional(whole(1, 9), undefined),
  })
  return {
    requestNoContextTakeover: read.request_no_context_takeover,
    requestMaxWindowBits: read.request_max_window_bits,
    noContextTakeover: read.no_context_takeover,
    maxWindowBits: read.max_window_bits,
    memoryLevel: read.memory_level,
  }
}
