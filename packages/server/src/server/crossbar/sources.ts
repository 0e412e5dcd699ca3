/** The `auth` block of a transport as methods of a guard: each with its sources, in the order in which they are asked. */
import { MisuseError, wampBearer, wampHello, type Method, type Platform } from 'countersign'
import {
  accounts,
  anonymous,
  cryptosign,
  cryptosignPrincipals,
  dynamicAuthenticator,
  functionAuthenticator,
  scram,
  scramPrincipals,
  secondFactor,
  ticketPrincipals,
  tlsPrincipals,
  wampcra,
  wampcraUsers,
  wampCookie,
  wampTicket,
  wampTls,
  type Accounts,
  type Authenticator,
  type CallProcedure,
  type CookieStore,
} from 'countersign/methods'
import type {
  AnonymousIdentity,
  AuthMethodName,
  AuthMethodNode,
  AuthNode,
  AuthSourceNode,
  CraPrincipal,
  CryptosignPrincipal,
  ScramPrincipal,
  TicketPrincipal,
  TlsPrincipal,
} from './auth-node.ts'
import type { FunctionLoader } from './functions.ts'
import { routerSigner } from './router-key.ts'

/** What methods need besides their block. */
export interface MethodLenders {
  /** The router's own voice. */
  readonly call: CallProcedure
  readonly derive: Platform['derive']
  readonly functions: FunctionLoader
  /** How long an authenticator may take, ms. */
  readonly authenticatorTimeoutMs: number
  /** Where clients are remembered; needed by the method `cookie` alone. */
  readonly cookies: { readonly store: CookieStore; readonly name: string } | undefined
}

/**
 * Builds the methods that a client may begin with; salted secrets are derived and functions made by then.
 * @throws MisuseError for a block that cannot be served
 */
export async function methodsOf(auth: AuthNode, lenders: MethodLenders): Promise<readonly Method[]> {
  const built = new Map<AuthMethodName, Method>()
  for (const node of auth.methods) built.set(node.method, await methodOf(node, lenders))
  return auth.methods.flatMap((node) => {
    const method = built.get(node.method)
    if (!node.first || method === undefined) return []
    const second = built.get(followerOf(node) ?? node.method)
    return second === undefined || second === method ? method : secondFactor(method, second)
  })
}

/** One factor cannot be asked of some and spared others: who is who is known only afterwards. */
function followerOf({ method, sources }: AuthMethodNode): AuthMethodName | undefined {
  const followers = new Set<AuthMethodName | undefined>(sources.map((source) => source.secondFactor))
  if (followers.size <= 1) return [...followers][0]
  throw wrong(`auth.${method}: x_second_factor must be the same in every entry of the list`)
}

async function methodOf(node: AuthMethodNode, lenders: MethodLenders): Promise<Method> {
  switch (node.method) {
    case 'anonymous':
      return await anonymousOf(node.sources, lenders)
    case 'ticket': {
      const sources = await optionsOf(node.sources, lenders, async (list: readonly TicketPrincipal[]) =>
        ticketPrincipals(byName(list, ({ ticket, role, authid }) => ({ ticket, role, authid }))),
      )
      return wampTicket({ from: wampBearer(), sources, ...defaultRole(node.sources) })
    }
    case 'wampcra': {
      const sources = await optionsOf(node.sources, lenders, (list: readonly CraPrincipal[]) =>
        craUsers(list, lenders.derive),
      )
      return wampcra({ from: wampHello(), sources, ...defaultRole(node.sources) })
    }
    case 'scram': {
      const sources = await optionsOf(node.sources, lenders, async (list: readonly ScramPrincipal[]) =>
        scramPrincipals(byName(list, scramRow)),
      )
      return scram({ from: wampHello(), sources, ...defaultRole(node.sources) })
    }
    case 'cryptosign': {
      const sources = await optionsOf(node.sources, lenders, async (list: readonly CryptosignPrincipal[]) =>
        cryptosignPrincipals(byName(list, cryptosignRow)),
      )
      const router = node.routerKey === undefined ? {} : { router: routerSigner(node.routerKey) }
      return cryptosign({ from: wampHello(), sources, ...router, ...defaultRole(node.sources) })
    }
    case 'tls': {
      const sources = await optionsOf(node.sources, lenders, async (list: readonly TlsPrincipal[]) =>
        tlsPrincipals(onceEach(list.map(tlsRow))),
      )
      return wampTls({ from: wampHello(), sources: sources.filter(isNoAccounts) })
    }
    case 'cookie': {
      if (lenders.cookies === undefined) throw wrong('auth.cookie: there is no store for cookies')
      return wampCookie({ from: wampBearer(), ...lenders.cookies })
    }
  }
}

/** The sources of a method in their order. @param fixed what makes one of a list of principals */
async function optionsOf<P, S>(
  sources: readonly AuthSourceNode<P>[],
  lenders: MethodLenders,
  fixed: (principals: readonly P[]) => Promise<S>,
): Promise<readonly (S | Accounts | Authenticator)[]> {
  const options: (S | Accounts | Authenticator)[] = []
  for (const source of sources) {
    if (source.kind === 'static') options.push(await fixed(source.principals))
    else if (source.kind === 'accounts') options.push(accounts())
    else options.push(await authenticatorOf(source, lenders))
  }
  return options
}

/** A procedure or a function. */
async function authenticatorOf(
  source: Extract<AuthSourceNode<never>, { kind: 'dynamic' | 'function' }>,
  lenders: MethodLenders,
): Promise<Authenticator> {
  const role = source.defaultRole === undefined ? {} : { defaultRole: source.defaultRole }
  if (source.kind === 'function') return functionAuthenticator(await lenders.functions.load(source), role)
  const { authenticator: procedure, realm, dangerouslyPassHeaders } = source
  return dynamicAuthenticator({
    call: lenders.call,
    procedure,
    timeoutMs: lenders.authenticatorTimeoutMs,
    dangerouslyPassHeaders,
    ...(realm === undefined ? {} : { realm }),
    ...role,
  })
}

/** Static identities have roles of their own, authenticators a default of their own: this one is for accounts. */
function defaultRole(sources: readonly AuthSourceNode<unknown>[]): { readonly defaultRole?: string } {
  const role = sources.find(({ kind }) => kind === 'accounts')?.defaultRole
  const others = sources.some((source) => source.kind !== 'static' && source.defaultRole !== role)
  return role === undefined || others ? {} : { defaultRole: role }
}

async function anonymousOf(
  sources: readonly AuthSourceNode<AnonymousIdentity>[],
  lenders: MethodLenders,
): Promise<Method> {
  const from = wampHello()
  const [source, ...more] = sources
  if (source?.kind === 'static' && more.length === 0) {
    const { realm, role, authid } = source.principals[0] ?? { role: 'anonymous' }
    const named = { ...(realm === undefined ? {} : { realm }), ...(authid === undefined ? {} : { authid }) }
    return anonymous({ from, role, ...named })
  }
  const authenticators: Authenticator[] = []
  for (const one of sources) {
    if (one.kind === 'static' || one.kind === 'accounts')
      throw wrong('auth.anonymous: everyone, or authenticators, not both')
    authenticators.push(await authenticatorOf(one, lenders))
  }
  return anonymous({ from, authenticators })
}

async function craUsers(
  list: readonly CraPrincipal[],
  derive: Platform['derive'],
): Promise<ReturnType<typeof wampcraUsers>> {
  const users = wampcraUsers(
    byName(list, ({ secret, role, authid, salting }) => ({ secret, role, authid, ...salting })),
    derive,
  )
  await users.ready
  return users
}

/** Written names become members: none of them can be taken for the prototype's. */
function byName<P extends { readonly name: string }, R>(
  list: readonly P[],
  row: (principal: P) => R,
): Readonly<Record<string, R>> {
  return Object.fromEntries(list.map((principal) => [principal.name, row(principal)]))
}

function scramRow(principal: ScramPrincipal): Parameters<typeof scramPrincipals>[0][string] {
  const { kdf, iterations, memory, salt, storedKey, serverKey, role, authid } = principal
  const keys = { 'stored-key': storedKey, 'server-key': serverKey }
  return { kdf, iterations, ...(kdf === 'pbkdf2' ? {} : { memory }), salt, ...keys, role, authid }
}

function cryptosignRow(principal: CryptosignPrincipal): Parameters<typeof cryptosignPrincipals>[0][string] {
  const { authorizedKeys, realm, role, authid } = principal
  return { authorized_keys: authorizedKeys, role, authid, ...(realm === undefined ? {} : { realm }) }
}

function tlsRow(principal: TlsPrincipal): readonly [string, Parameters<typeof tlsPrincipals>[0][string]] {
  const { authid, role, fingerprint } = principal
  return [
    authid,
    fingerprint.hash === 'sha1' ? { sha1: fingerprint.hex, role } : { sha256: fingerprint.hex, role },
  ]
}

/** @throws MisuseError when two rows have one name: one of them would be lost */
function onceEach<R>(rows: readonly (readonly [string, R])[]): Readonly<Record<string, R>> {
  if (new Set(rows.map(([name]) => name)).size === rows.length) return Object.fromEntries(rows)
  throw wrong('auth.tls: two principals have one authid')
}

function isNoAccounts<S>(source: S | Accounts): source is Exclude<S, Accounts> {
  return source !== accounts()
}

function wrong(message: string): MisuseError {
  return new MisuseError('invalid_option', message)
}
