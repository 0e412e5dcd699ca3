/** A TCP or TLS connection to a target: within scope, within budget, to an address that was resolved once. */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { Budget } from './budget.ts'
import { portOf, type Scope } from './scope.ts'

/** What every connection of an audit needs. */
export interface Lines {
  readonly scope: Scope
  readonly budget: Budget
  /** TLS of the target: its authorities, a client certificate. */
  readonly tls: TlsOptions
  /** The address from which one connects. @default the system's choice */
  readonly localAddress?: string
  /** How long a connection, and then the head of an answer, may take, milliseconds. */
  readonly patienceMs: number
}

/** How TLS is spoken. */
export type TlsOptions = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'pfx'
  | 'passphrase'
  | 'rejectUnauthorized'
  | 'minVersion'
  | 'maxVersion'
  | 'ciphers'
>

/** Why there is no connection. */
export interface DialFailure {
  readonly kind: 'failed'
  readonly why: 'refused' | 'reset' | 'timeout' | 'tls'
  /** The system's code, or what TLS says. */
  readonly detail: string
}

/** A connection. Whoever has it destroys it; its place in the budget comes back by itself. */
export interface Dialled {
  readonly kind: 'connected'
  readonly socket: Socket
}

/** Connects. @throws BudgetSpent, OutOfScope, Unresolved */
export async function dial(lines: Lines, url: URL, tls: TlsOptions = {}): Promise<Dialled | DialFailure> {
  const addresses = await lines.scope.addressesOf(url)
  let failure: DialFailure = { kind: 'failed', why: 'refused', detail: 'no address' }
  for (const host of addresses.slice(0, 4)) {
    const giveBack = await lines.budget.seat()
    const answer = await connect(lines, url, { host, tls: { ...lines.tls, ...tls } })
    if (answer.kind === 'failed') {
      giveBack()
      failure = answer
      if (answer.why === 'tls') return answer
      continue
    }
    answer.socket.once('close', giveBack)
    if (answer.socket.destroyed) giveBack()
    return answer
  }
  return failure
}

function connect(
  lines: Lines,
  url: URL,
  { host, tls }: { readonly host: string; readonly tls: TlsOptions },
): Promise<Dialled | DialFailure> {
  const secure = url.protocol === 'wss:' || url.protocol === 'https:'
  const name = url.hostname.replace(/^\[|\]$/g, '')
  const servername = isIP(name) === 0 ? { servername: name } : {}
  const port = portOf(url)
  const from = lines.localAddress === undefined ? {} : { localAddress: lines.localAddress }
  const socket: Socket | TLSSocket = secure
    ? connectTls({ host, port, ...from, ...servername, ALPNProtocols: ['http/1.1'], ...tls })
    : connectTcp({ host, port, ...from })
  const { signal } = lines.budget
  const onAbort = (): void => void socket.destroy()
  signal.addEventListener('abort', onAbort)
  socket.once('close', () => signal.removeEventListener('abort', onAbort))
  if (signal.aborted) socket.destroy()
  return new Promise((resolve) => {
    const stop = (failure: DialFailure): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(failure)
    }
    const timeOut = (): void =>
      stop({ kind: 'failed', why: 'timeout', detail: `nothing for ${lines.patienceMs} ms` })
    const timer = setTimeout(timeOut, lines.patienceMs)
    socket.on('error', (error: NodeJS.ErrnoException) => stop(failureOf(error, secure)))
    socket.once('close', () => stop({ kind: 'failed', why: 'reset', detail: 'closed while connecting' }))
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      socket.setNoDelay(true)
      resolve({ kind: 'connected', socket })
    })
  })
}

function failureOf({ code = '', message }: NodeJS.ErrnoException, secure: boolean): DialFailure {
  if (code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return { kind: 'failed', why: 'refused', detail: code }
  if (code === 'ECONNRESET') return { kind: 'failed', why: 'reset', detail: code }
  if (code === 'ETIMEDOUT') return { kind: 'failed', why: 'timeout', detail: code }
  return {
    kind: 'failed',
    why: secure ? 'tls' : 'refused',
    detail: code === '' ? message.slice(0, 200) : code,
  }
}
