/** Blocks of an authentication method: where its identities come from. */
import { extname, resolve } from 'node:path'
import type { StaticForm } from './auth-principals.ts'
import type { AuthMethodName, AuthSourceNode } from './node.ts'
import {
  anything,
  below,
  complain,
  ignored,
  isMapping,
  knownRealm,
  knownRole,
  list,
  members,
  oneOf,
  optional,
  roleName,
  shaped,
  text,
  uri,
  without,
  type Reader,
  type Spot,
} from './reader.ts'

/** Kinds of blocks, by their `type`. */
export type SourceType = 'static' | 'dynamic' | 'function' | 'x_accounts'

/** What blocks a method may have. */
export interface SourceForm<P> {
  readonly types: readonly [SourceType, ...SourceType[]]
  readonly fixed: StaticForm<P>
  /** What a block without `type` is. */
  readonly assumed: SourceType | undefined
  /** Keys of its blocks that are not the source's: the method reads them. */
  readonly elsewhere: readonly string[]
}

/** Methods that can follow another: they ask the client something. */
const seconds = ['ticket', 'wampcra', 'scram', 'cryptosign'] as const

/** Keys of every block. */
const common = {
  type: ignored,
  'default-role': optional(knownRole, undefined),
  x_second_factor: optional(oneOf<AuthMethodName>(seconds, 'ticket'), undefined),
}

/** Reads one block. */
export function sourceOf<P>(block: Spot, form: SourceForm<P>): AuthSourceNode<P> {
  const spot = withoutKeys(block, form.elsewhere)
  const type = typeOf(spot, form)
  switch (type) {
    case 'static':
      return staticSource(spot, form.fixed)
    case 'dynamic':
      return dynamicSource(spot)
    case 'function':
      return functionSource(spot)
    case 'x_accounts': {
      const read = members(spot, common)
      return { kind: 'accounts', secondFactor: read.x_second_factor, defaultRole: read['default-role'] }
    }
  }
}

function withoutKeys(spot: Spot, keys: readonly string[]): Spot {
  const { value } = spot
  if (keys.length === 0 || !isMapping(value)) return spot
  return { ...spot, value: Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) }
}

/** The `type` of a block, which must be one that its method has. */
function typeOf<P>(spot: Spot, form: SourceForm<P>): SourceType {
  const type = below(spot, 'type')
  if (type.value === undefined && form.assumed !== undefined) return form.assumed
  const [first, ...others] = form.types
  // What is no mapping is told by its members.
  return typeof spot.value === 'object' && spot.value !== null
    ? oneOf([first, ...others], first)(type)
    : first
}

/** Identities in the file itself. */
function staticSource<P>(spot: Spot, form: StaticForm<P>): AuthSourceNode<P> {
  const own = Object.fromEntries(form.keys.map((key) => [key, ignored]))
  const read = members(spot, { ...own, ...common })
  const defaultRole = read['default-role']
  const principals =
    typeof spot.value === 'object' && spot.value !== null ? form.principals(spot, defaultRole) : []
  return { kind: 'static', secondFactor: read.x_second_factor, defaultRole, principals }
}

/** A token of RFC 9110 §5.6.2. */
const headerName: Reader<string> = shaped(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is no name of a header', 128)

/**
 * A procedure that the router calls. Secret headers of the handshake stay out of what it is told, unless they are
 * named: a component that decides about one realm needs nobody’s cookie.
 */
function dynamicSource(spot: Spot): Extract<AuthSourceNode<never>, { kind: 'dynamic' }> {
  const read = members(spot, {
    ...common,
    authenticator: uri,
    'authenticator-realm': optional(knownRealm, undefined),
    'authenticator-role': optional(roleName, undefined),
    x_dangerously_pass_headers: optional(list(headerName), []),
  })
  return {
    kind: 'dynamic',
    authenticator: read.authenticator,
    realm: read['authenticator-realm'],
    role: read['authenticator-role'],
    dangerouslyPassHeaders: read.x_dangerously_pass_headers.map((name) => name.toLowerCase()),
    secondFactor: read.x_second_factor,
    defaultRole: read['default-role'],
  }
}

/** A function, made once by `create` with the block’s `config`. */
function functionSource(spot: Spot): Extract<AuthSourceNode<never>, { kind: 'function' }> {
  const read = members(spot, {
    ...common,
    create: text(4_096),
    config: anything,
    expose_controller: without('cannot apply: there is no controller to expose'),
  })
  return {
    kind: 'function',
    ...moduleOf(below(spot, 'create'), read.create),
    config: read.config,
    secondFactor: read.x_second_factor,
    defaultRole: read['default-role'],
  }
}

/** Files that can be imported. */
const moduleExtensions: ReadonlySet<string> = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'])

/** `./auth.mjs#create`, `/srv/auth.ts`, `@acme/auth#create`; a dotted name is one of Python. */
function moduleOf(spot: Spot, written: string): { readonly module: string; readonly exportName: string } {
  const [module = '', exportName = 'default', ...more] = written.split('#')
  const isFile = moduleExtensions.has(extname(module))
  const isPackage = written.includes('#') && /^(?:@[\w.-]+\/)?\w[\w.-]*(?:\/[\w./-]+)?$/.test(module)
  if (
    more.length > 0 ||
    !/^[A-Za-z_$][\w$]*$/.test(exportName) ||
    module.includes(':') ||
    module.includes('\0')
  ) {
    complain(spot, 'is no module: write ./auth.mjs#create')
  } else if (!isFile && !isPackage && written !== '') {
    complain(spot, 'cannot apply: functions of Python do not run here; write a module, ./auth.mjs#create')
  }
  // A file that a package exports is told from one of the folder by the package's scope.
  const isHere = isFile && !module.startsWith('@')
  return { module: isHere ? resolve(spot.reading.folder, module) : module, exportName }
}
