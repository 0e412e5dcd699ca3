/**
 * The `auth` block of a transport: who may join, and how they prove who they are.
 *
 * A block that cannot apply is an error, never left out: a door that its owner believes to be guarded would be
 * open, or shut.
 */
import {
  anonymousForm,
  craForm,
  cryptosignForm,
  scramForm,
  ticketForm,
  tlsForm,
  type StaticForm,
} from './auth-principals.ts'
import { sourceOf, type SourceForm, type SourceType } from './auth-sources.ts'
import type { AuthMethodName, AuthMethodNode, AuthNode, AuthSourceNode } from './node.ts'
import {
  below,
  complain,
  ignored,
  isMapping,
  keysOf,
  members,
  warn,
  type Reader,
  type Spot,
} from './reader.ts'
import { routerKeyOf } from './router-key.ts'
import { timeoutReaders, type WrittenSettings } from './settings.ts'

/** What an `auth` block says, besides what it says about timeouts. */
export interface ReadAuth {
  readonly auth: AuthNode
  readonly written: WrittenSettings
}

/** Types of blocks that most methods have. */
const usual: readonly [SourceType, ...SourceType[]] = ['static', 'dynamic', 'function']

/** How the blocks of one method are written. */
function form<P>(
  fixed: StaticForm<P>,
  types: readonly [SourceType, ...SourceType[]],
  { assumed, elsewhere = [] }: Partial<Pick<SourceForm<P>, 'assumed' | 'elsewhere'>> = {},
): SourceForm<P> {
  return { fixed, types, assumed, elsewhere }
}

/** Methods and their blocks. */
const methodReaders: Readonly<Record<AuthMethodName, Reader<AuthMethodNode>>> = {
  // Older documentation leaves `type` out here, and here alone.
  anonymous: (spot) => {
    const sources = sourcesOf(spot, form(anonymousForm, ['static', 'dynamic'], { assumed: 'static' }))
    return { method: 'anonymous', first: true, sources }
  },
  ticket: (spot) => {
    const sources = sourcesOf(spot, form(ticketForm, [...usual, 'x_accounts']))
    return { method: 'ticket', first: true, sources }
  },
  wampcra: (spot) => {
    const sources = sourcesOf(spot, form(craForm, [...usual, 'x_accounts']))
    return { method: 'wampcra', first: true, sources }
  },
  scram: (spot) => {
    const sources = sourcesOf(spot, form(scramForm, [...usual, 'x_accounts']))
    return { method: 'scram', first: true, sources }
  },
  cryptosign: (spot) => ({
    method: 'cryptosign',
    first: true,
    sources: sourcesOf(spot, form(cryptosignForm, [...usual, 'x_accounts'], { elsewhere: ['x_router_key'] })),
    routerKey: routerKeyOf(spot),
  }),
  tls: (spot) => ({
    method: 'tls',
    first: true,
    sources: sourcesOf(spot, form(tlsForm, ['static', 'dynamic'])),
  }),
  cookie: (spot) => {
    members(spot, { type: ignored })
    return { method: 'cookie', first: true, sources: [] }
  },
}

/** One block, or a list of them. */
function sourcesOf<P>(spot: Spot, sourceForm: SourceForm<P>): readonly AuthSourceNode<P>[] {
  if (!Array.isArray(spot.value)) return [sourceOf(spot, sourceForm)]
  if (spot.value.length === 0) complain(spot, 'is empty: at least one entry')
  return spot.value.map((_, index) => sourceOf(below(spot, index), sourceForm))
}

/** What is said of keys that are methods elsewhere. */
const proxied = 'cannot apply: such a peer chooses any identity it likes'

/** Reads an `auth` block. Without one everyone may join, as Crossbar.io has it; an empty one is an error. */
export function authOf(spot: Spot): ReadAuth {
  if (spot.value === undefined) return { auth: openAuth, written: {} }
  const methods = keysOf(spot).flatMap((key): readonly AuthMethodNode[] => {
    const inner = below(spot, key)
    if (isMethod(key)) return [methodReaders[key](inner)]
    if (key.endsWith('-proxy')) complain(inner, proxied)
    else if (!Object.hasOwn(timeoutReaders, key)) {
      complain(inner, `unknown: methods are ${Object.keys(methodReaders).join(', ')}`)
    }
    return []
  })
  if (methods.length === 0 && isMapping(spot.value)) complain(spot, 'names no method: nobody could join')
  return { auth: { open: false, methods: withSecondFactors(spot, methods) }, written: timeoutsOf(spot) }
}

/** Timeouts alone: methods were read already. */
function timeoutsOf(spot: Spot): WrittenSettings {
  return {
    x_hello_timeout: timeoutReaders.x_hello_timeout(below(spot, 'x_hello_timeout')),
    x_authenticate_timeout: timeoutReaders.x_authenticate_timeout(below(spot, 'x_authenticate_timeout')),
    x_authenticator_timeout: timeoutReaders.x_authenticator_timeout(below(spot, 'x_authenticator_timeout')),
  }
}

/** What a missing block means. */
const openAuth: AuthNode = {
  open: true,
  methods: [
    {
      method: 'anonymous',
      first: true,
      sources: [
        {
          kind: 'static',
          secondFactor: undefined,
          defaultRole: undefined,
          principals: [{ realm: undefined, role: 'anonymous', authid: undefined }],
        },
      ],
    },
  ],
}

function isMethod(key: string): key is AuthMethodName {
  return Object.hasOwn(methodReaders, key)
}

/**
 * A second factor that could be used by itself would be a way around the first: it is not offered. It must be
 * configured, and follow a method other than itself.
 */
function withSecondFactors(spot: Spot, methods: readonly AuthMethodNode[]): readonly AuthMethodNode[] {
  const followers = new Set<AuthMethodName>()
  const names = new Set(methods.map(({ method }) => method))
  for (const { method, sources } of methods) {
    for (const [index, { secondFactor }] of sources.entries()) {
      if (secondFactor === undefined) continue
      followers.add(secondFactor)
      const inner = below(spot, method)
      const at = below(Array.isArray(inner.value) ? below(inner, index) : inner, 'x_second_factor')
      if (secondFactor === method) complain(at, 'cannot follow itself')
      else if (!names.has(secondFactor)) complain(at, 'names a method that is not configured')
    }
  }
  if (methods.length > 0 && methods.every(({ method }) => followers.has(method))) {
    complain(spot, 'has second factors only: nobody could begin')
  }
  for (const method of followers) {
    if (names.has(method)) warn(below(spot, method), 'is a second factor: it is not offered by itself')
  }
  return methods.map((node) => ({ ...node, first: !followers.has(node.method) }))
}
