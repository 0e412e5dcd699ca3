/** The top of a node configuration: its version, its controller, its workers. */
import { secretText } from './environment.ts'
import { listenerOf } from './listener.ts'
import type { CrossbarNode, RouterNode } from './node.ts'
import { complainTwice, realmOf } from './realm.ts'
import {
  below,
  complain,
  flag,
  ignored,
  isMapping,
  list,
  members,
  oneOf,
  optional,
  text,
  warn,
  without,
  type Spot,
} from './reader.ts'
import { defaultSettings, settingReaders, settingsOver, type WrittenSettings } from './settings.ts'

/**
 * Whether values are a node configuration of Crossbar.io, rather than one of this program's own form. A single
 * router (`realms` and `transports` at the top) is one as well.
 */
export function isCrossbarConfig(value: unknown): boolean {
  if (!isMapping(value)) return false
  const has = (key: string): boolean => Object.hasOwn(value, key)
  if (has('site') || has('guards')) return false
  return has('workers') || (has('version') && has('controller')) || (has('realms') && has('transports'))
}

/** Reads a whole configuration. */
export function nodeOf(spot: Spot): CrossbarNode {
  if (
    isMapping(spot.value) &&
    below(spot, 'workers').value === undefined &&
    below(spot, 'realms').value !== undefined
  ) {
    return {
      version: 2,
      routers: [routerOf(spot, { version: ignored, $schema: ignored, controller: ignored })],
    }
  }
  const read = members(spot, {
    $schema: ignored,
    version: versionOf,
    controller: optional(controllerOf, undefined),
    workers: list(workerOf),
  })
  const routers = read.workers.filter((router) => router !== undefined)
  if (routers.length === 0 && read.workers.length > 0)
    warn(below(spot, 'workers'), 'has no router that could run')
  return { version: read.version, routers }
}

/** A file without a version is of the first. Forms of both are read in either, since files mix them. */
function versionOf(spot: Spot): 1 | 2 {
  if (spot.value === undefined || spot.value === 1) return 1
  if (spot.value !== 2) complain(spot, 'must be 1 or 2')
  return 2
}

const noController = without('cannot apply: there is no controller here')

/** `controller`: what supervises workers of Crossbar.io. Here there is one process, so that it is only checked. */
function controllerOf(spot: Spot): undefined {
  members(spot, {
    id: ignored,
    options: optional(
      (inner: Spot) =>
        members(inner, { title: ignored, shutdown: ignored, enable_parallel_worker_start: ignored }),
      undefined,
    ),
    manhole: noController,
    connections: noController,
    keyring: noController,
    cdc: noController,
  })
}

/** Workers that run Python, foreign programs, or other roles of a cluster. */
const idle = [
  'container',
  'guest',
  'proxy',
  'websocket-testee',
  'hostmonitor',
  'xbrmm',
  'marketplace',
] as const

/** Reads a worker; `undefined`, and a warning, for those that do not run here. */
function workerOf(spot: Spot): RouterNode | undefined {
  const type = oneOf(['router', ...idle], 'router')(below(spot, 'type'))
  if (type !== 'router') {
    warn(spot, `cannot apply: workers of type ${type} do not run here`)
    return undefined
  }
  // For a type that is none the reader has complained, and answered `router` in its place.
  if (below(spot, 'type').value !== type) return undefined
  if (isDisabled(below(below(spot, 'options'), 'disabled'))) {
    warn(spot, 'is disabled')
    return undefined
  }
  return routerOf(spot, {})
}

/** Keys about interpreters and components. */
const python = without('cannot apply: nothing of Python runs here')

/**
 * A router: its realms first, since transports are told which roles and realms there are.
 * `besides` are keys that may stand around it when it is the whole file.
 */
function routerOf(spot: Spot, besides: Readonly<Record<string, typeof ignored>>): RouterNode {
  const read = members(spot, {
    ...besides,
    id: optional(text(64), undefined),
    type: ignored,
    options: optional(optionsOf, {}),
    manhole: without('cannot apply: there is no manhole'),
    realms: optional(list(realmOf), []),
    transports: ignored,
    components: python,
    connections: without('cannot apply: connections of Python components are not made'),
  })
  // Whatever names a realm or a role further down is held against these.
  const realms = below(spot, 'realms')
  complainTwice(
    realms,
    read.realms.map(({ name }) => name),
  )
  const session = settingsOver(defaultSettings, read.options)
  const known = {
    realms: new Set(read.realms.map(({ name }) => name)),
    roles: new Set(read.realms.flatMap(({ roles }) => roles.map(({ name }) => name))),
  }
  const transports = { ...below(spot, 'transports'), reading: { ...spot.reading, known } }
  const listeners = optional(
    list((inner: Spot) => listenerOf(inner, session)),
    [],
  )(transports)
  return {
    id: read.id,
    realms: read.realms,
    listeners: listeners.flatMap((one) => (one === undefined ? [] : [one])),
    session,
  }
}

/** `options` of a worker: our own settings, and what is about processes of Python. */
function optionsOf(spot: Spot): WrittenSettings {
  return members(spot, {
    ...settingReaders,
    title: ignored,
    disabled: ignored,
    extra: ignored,
    python,
    pythonpath: python,
    cpu_affinity: oneProcess,
    env: oneProcess,
    expose_controller: noController,
    expose_shared: noController,
  })
}

const oneProcess = without('cannot apply: all workers run in one process')

/** A switch, or a variable that says yes by holding anything. */
function isDisabled(spot: Spot): boolean {
  if (spot.value === undefined) return false
  if (typeof spot.value !== 'string') return flag(spot)
  const muted = { ...spot, reading: { ...spot.reading, findings: [] } }
  return secretText(muted) !== ''
}
