import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  readCrossbarConfig,
  writeFinding,
  type AuthMethodName,
  type AuthMethodNode,
  type AuthNode,
  type CrossbarNode,
  type CrossbarReading,
  type WebSocketNode,
} from '../../../../packages/server/src/server/crossbar/read.ts'

/** Where configurations of these tests stand. */
export const path = '/srv/node/.crossbar/config.json'

export type Json = Readonly<Record<string, unknown>>

/** Reads values as a file that holds them. */
export function read(values: unknown, environment: Record<string, string> = {}): CrossbarReading {
  return readCrossbarConfig(JSON.stringify(values), { path, environment })
}

/** The node, which there must be. */
export function nodeOf(reading: CrossbarReading): CrossbarNode {
  if (reading.kind === 'ok') return reading.node
  throw new Error(reading.issues.map((issue) => writeFinding('config', issue)).join('\n'))
}

/** Everything that was said: `error path: message`. */
export function said(reading: CrossbarReading): readonly string[] {
  const issues = reading.kind === 'invalid' ? reading.issues : []
  return [...issues, ...reading.warnings].map(({ level, at, message }) => `${level} ${at}: ${message}`)
}

/** A file beside the tests, with the name that it has there. */
export function fixture(name: string, environment: Record<string, string> = {}): CrossbarReading {
  const file = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
  return readCrossbarConfig(readFileSync(file, 'utf8'), { path: file, environment })
}

/** A role that may do everything. */
export const frontend: Json = {
  name: 'frontend',
  permissions: [
    { uri: '', match: 'prefix', allow: { call: true, register: true, publish: true, subscribe: true } },
  ],
}

/** A router with one realm and these transports. */
export function withTransports(...transports: readonly unknown[]): Json {
  return {
    version: 2,
    workers: [{ type: 'router', realms: [{ name: 'realm1', roles: [frontend] }], transports }],
  }
}

/** A WebSocket transport on loopback. */
export function websocket(members: Json): Json {
  return {
    type: 'websocket',
    endpoint: { type: 'tcp', interface: '127.0.0.1', port: 8080 },
    auth: { anonymous: { type: 'static', role: 'frontend' } },
    ...members,
  }
}

/** The path of that transport. */
export const at = 'workers[0].transports[0]'

/** The first WebSocket of a node, wherever it is. */
export function websocketOf(node: CrossbarNode): WebSocketNode {
  for (const listener of node.routers.flatMap(({ listeners }) => listeners)) {
    if (listener.kind === 'websocket') return listener.websocket
    if (listener.kind !== 'web') continue
    for (const { service } of listener.web.paths) if (service.kind === 'websocket') return service
  }
  throw new Error('there is no WebSocket')
}

/** One method of an `auth` block. */
export function methodOf<M extends AuthMethodName>(
  auth: AuthNode,
  method: M,
): Extract<AuthMethodNode, { method: M }> {
  const found = auth.methods.find(
    (one): one is Extract<AuthMethodNode, { method: M }> => one.method === method,
  )
  if (found === undefined) throw new Error(`there is no ${method}`)
  return found
}
