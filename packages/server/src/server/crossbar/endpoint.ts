/** Where transports listen: TCP with or without TLS, or a socket of the file system. */
import { isLoopbackHost } from '../config-places.ts'
import { fileName, lentText, port } from './environment.ts'
import type { EndpointNode, TlsNode } from './node.ts'
import {
  below,
  complain,
  flag,
  ignored,
  list,
  members,
  oneOf,
  optional,
  text,
  warn,
  whole,
  without,
  type Reader,
  type Spot,
} from './reader.ts'

/** Crossbar.io's own default. */
const defaultBacklog = 50
/** Connections that wait to be accepted. */
const backlog = optional(whole(1, 65_535), defaultBacklog)

/** Endpoints of Twisted's own kinds, which nothing here can open. */
const foreign: ReadonlySet<unknown> = new Set(['twisted', 'onion'])

/** `endpoint` of a transport. */
export const endpoint: Reader<EndpointNode> = (spot) => {
  const type = below(spot, 'type')
  if (foreign.has(type.value)) {
    complain(type, 'cannot apply: write tcp or unix')
    return nothing
  }
  const kind = spot.value === undefined ? 'tcp' : oneOf(['tcp', 'unix'], 'tcp')(type)
  return kind === 'unix' ? unixEndpoint(spot) : tcpEndpoint(spot)
}

/** Stands in where a complaint was made. */
const nothing: EndpointNode = { kind: 'unix', path: '', backlog: defaultBacklog }

/** A socket in the file system: who may open it is a matter of the file’s permissions. */
function unixEndpoint(spot: Spot): EndpointNode {
  const read = members(spot, { type: ignored, path: fileName, backlog })
  return { kind: 'unix', path: read.path, backlog: read.backlog }
}

/** A port, with TLS where `tls` is written. Left out, `interface` means every address. */
function tcpEndpoint(spot: Spot): EndpointNode {
  const { portrange, ...read } = members(spot, {
    type: ignored,
    version: optional(whole(4, 6), 4),
    port: optional(port, undefined),
    portrange: optional(list(port), undefined),
    shared: optional(flag, false),
    interface: optional(lentText, undefined),
    backlog,
    user_timeout: without('cannot apply: the system keeps its own timeout'),
    tls: optional(tls, undefined),
  })
  // Whole numbers from 4 to 6 are three.
  if (read.version === 5) complain(below(spot, 'version'), 'must be 4 or 6')
  if (portrange !== undefined) warn(below(spot, 'portrange'), 'cannot apply: its first port alone is used')
  const chosen = read.port ?? portrange?.[0]
  // An endpoint that is no mapping was complained of already.
  if (chosen === undefined && typeof spot.value === 'object') complain(below(spot, 'port'), 'is missing')
  return {
    kind: 'tcp',
    host: read.interface,
    port: chosen ?? 0,
    ipVersion: read.version === 6 ? 6 : 4,
    backlog: read.backlog,
    shared: read.shared,
    tls: read.tls,
  }
}

/** `tls` of an endpoint. With `ca_certificates` every client must show a certificate that verifies. */
function tls(spot: Spot): TlsNode {
  const read = members(spot, {
    key: fileName,
    certificate: fileName,
    chain_certificates: optional(list(fileName), []),
    dhparam: optional(fileName, undefined),
    ciphers: optional(text(2_048), undefined),
    // An empty list would ask for a certificate that nobody can have signed.
    ca_certificates: optional(list(fileName, 1), []),
  })
  return {
    key: read.key,
    certificate: read.certificate,
    chainCertificates: read.chain_certificates,
    dhparam: read.dhparam,
    ciphers: read.ciphers,
    caCertificates: read.ca_certificates,
  }
}

/** Whether only this machine can reach an endpoint. */
export function isLocal(node: EndpointNode): boolean {
  if (node.kind === 'unix') return true
  return node.host !== undefined && isLoopbackHost(node.host)
}
