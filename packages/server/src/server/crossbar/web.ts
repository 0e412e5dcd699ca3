/**
 * Services of a web transport by their paths. What does not run here is left out, with a warning: a router whose
 * site has lost a page still routes.
 */
import { fileName } from './environment.ts'
import type { WebNode, WebPathNode, WebServiceNode } from './node.ts'
import {
  anything,
  below,
  complain,
  entriesOf,
  fixed,
  flag,
  ignored,
  members,
  nullable,
  oneOf,
  optional,
  shaped,
  text,
  warn,
  whole,
  type Spot,
} from './reader.ts'
import { websocketOf, type Around } from './wamp-transports.ts'

/** What `hsts_max_age` is where it is not written, seconds. */
const yearS = 31_536_000
/** How long browsers keep static files where nothing is written, seconds. */
const halfDayS = 43_200

/** Reads `paths` and `options` of a web transport; its other keys are judged by its caller. */
export function webOf(spot: Spot, around: Around): WebNode {
  const options = below(spot, 'options')
  const read = members(
    { ...options, value: options.value ?? {} },
    {
      access_log: optional(flag, false),
      display_tracebacks: fixed(false, 'cannot apply: what failed is never shown'),
      hsts: optional(flag, false),
      hsts_max_age: optional(whole(0, yearS * 10), yearS),
      client_timeout: nullable(whole(1, 86_400)),
    },
  )
  // Absent it means the defaults; written, it has to be a mapping.
  if (options.value === null) complain(options, 'must be a mapping of keys to values')
  return {
    paths: distinct(below(spot, 'paths'), pathsOf(below(spot, 'paths'), '', around)),
    accessLog: read.access_log,
    hstsMaxAgeS: read.hsts ? read.hsts_max_age : undefined,
    clientTimeoutMs: read.client_timeout === undefined ? undefined : read.client_timeout * 1_000,
  }
}

/** Whether a name may stand in `paths`; it complains when not. */
export function urlPath(spot: Spot, name: string, prefix: string): string {
  if (name === '/') return prefix === '' ? '/' : prefix
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
    complain(spot, 'is no path: write / or a name of letters, digits, _ and -')
  }
  return `${prefix}/${name}`
}

/** One level of `paths`: nested ones are flattened, `/` within standing for the path around. */
function pathsOf(spot: Spot, prefix: string, around: Around): readonly WebPathNode<WebServiceNode>[] {
  return entriesOf(spot, (name, inner) => {
    const path = urlPath(inner, name, prefix)
    const type = oneOf([...running, ...idle], 'nodeinfo')(below(inner, 'type'))
    if (isIdle(type)) {
      warn(inner, `cannot apply: services of type ${type} do not run here`)
      return []
    }
    // A group of paths, no service: the name stands before those of its members.
    if (type === 'path') {
      members(inner, { id: ignored, type: ignored, paths: ignored })
      return pathsOf(below(inner, 'paths'), path === '/' ? '' : path, around)
    }
    const service = serviceOf(inner, type, around)
    return service === undefined ? [] : [{ path, service }]
  }).flat()
}

/** Services that need Python, or bridges to HTTP that are not built here. */
const idle = [
  'resource',
  'wsgi',
  'cgi',
  'longpoll',
  'publisher',
  'caller',
  'webhook',
  'upload',
  'reverseproxy',
  'websocket-reverseproxy',
  'archive',
  'catalog',
] as const
/** Services that a node keeps. */
const running = ['websocket', 'static', 'json', 'nodeinfo', 'redirect', 'path'] as const

/** Whether a service is one of those that are left out. */
function isIdle(type: (typeof running | typeof idle)[number]): type is (typeof idle)[number] {
  return idle.some((one) => one === type)
}

/** Reads a service of a known type. */
function serviceOf(
  spot: Spot,
  type: Exclude<(typeof running)[number], 'path'>,
  around: Around,
): WebServiceNode | undefined {
  switch (type) {
    case 'websocket':
      return websocketOf(spot, around, false)
    case 'static':
      return staticOf(spot)
    case 'json':
      return jsonOf(spot)
    case 'nodeinfo':
      members(spot, common)
      return { kind: 'nodeinfo' }
    case 'redirect': {
      const read = members(spot, { ...common, url: shaped(/^[!-~]+$/, 'is no URL', 2_048) })
      return { kind: 'redirect', url: read.url }
    }
  }
}

/** Keys of every service that decide nothing here. */
const common = { id: ignored, type: ignored }

/** Files of a folder. Those that are inside a package of Python cannot be found. */
function staticOf(spot: Spot): WebServiceNode | undefined {
  const read = members(spot, {
    ...common,
    directory: optional(fileName, undefined),
    package: ignored,
    resource: ignored,
    options: optional(staticOptions, {
      listing: false,
      defaultFile: 'index.html',
      mimeTypes: [],
      cacheTimeoutS: halfDayS,
    }),
  })
  const packaged = below(spot, 'package').value !== undefined || below(spot, 'resource').value !== undefined
  if (packaged && read.directory !== undefined) {
    complain(below(spot, 'directory'), 'stands beside "package": exactly one of them is served')
  } else if (packaged) warn(spot, 'cannot apply: files of Python packages are not served')
  else if (read.directory === undefined) complain(below(spot, 'directory'), 'is missing')
  return read.directory === undefined
    ? undefined
    : { kind: 'static', directory: read.directory, ...read.options }
}

/** `options` of a static service; `cache_timeout: null` says nothing to browsers about caching. */
function staticOptions(spot: Spot): Omit<Extract<WebServiceNode, { kind: 'static' }>, 'kind' | 'directory'> {
  const read = members(spot, {
    enable_directory_listing: optional(flag, false),
    mime_types: optional(
      (inner: Spot) => entriesOf(inner, (extension, type) => ({ extension, type: text(256)(type) })),
      [],
    ),
    cache_timeout: optional(nullable(whole(0, yearS)), halfDayS),
    default_file: optional(shaped(/^[^/\\\0]+$/, 'is no name of a file', 256), 'index.html'),
  })
  return {
    listing: read.enable_directory_listing,
    defaultFile: read.default_file,
    mimeTypes: read.mime_types,
    cacheTimeoutS: read.cache_timeout,
  }
}

/** A value that is written in the file, `null` among them. */
function jsonOf(spot: Spot): WebServiceNode {
  const { value, options } = members(spot, {
    ...common,
    value: anything,
    options: optional(
      (inner: Spot) =>
        members(inner, {
          prettify: optional(flag, false),
          allow_cross_origin: optional(flag, true),
          discourage_caching: optional(flag, false),
        }),
      { prettify: false, allow_cross_origin: true, discourage_caching: false },
    ),
  })
  if (value === undefined) complain(below(spot, 'value'), 'is missing')
  return {
    kind: 'json',
    value,
    prettify: options.prettify,
    allowCrossOrigin: options.allow_cross_origin,
    discourageCaching: options.discourage_caching,
  }
}

/** Nested paths may spell the same URL twice. */
function distinct<T>(spot: Spot, paths: readonly WebPathNode<T>[]): readonly WebPathNode<T>[] {
  if (new Set(paths.map(({ path }) => path)).size < paths.length)
    complain(spot, 'has two services at one path')
  return paths
}
