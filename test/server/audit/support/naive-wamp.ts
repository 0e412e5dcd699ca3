/** A small router of WAMP as one writes it by oneself: HELLO, CHALLENGE, AUTHENTICATE, SUBSCRIBE. Fixtures spoil it. */
import { createHmac, randomBytes, randomInt } from 'node:crypto'
import { createServer } from 'node:http'
import { WebSocketServer, type WebSocket } from 'ws'
import type { AuditOptions } from '../../../../packages/server/src/audit/options.ts'
import { listening, type Target } from './site.ts'

/** What HELLO leads to. */
export type Decision =
  | { readonly kind: 'welcome'; readonly authid: string }
  | { readonly kind: 'abort'; readonly uri: string; readonly message: string }
  | {
      readonly kind: 'challenge'
      readonly method: string
      readonly extra: { readonly challenge?: string } & Readonly<Record<string, unknown>>
      readonly verify: (signature: string) => boolean
    }

/** What HELLO says. */
export interface HelloDetails {
  readonly authid?: string
  readonly authmethods?: readonly string[]
  /** What a client should not decide. */
  readonly authrole?: string
}

/** Decides about a HELLO. */
export type Decide = (details: HelloDetails) => Decision

/** What a fixture spoils. */
export interface NaiveWampOptions {
  readonly decide?: Decide
  /** Carries messages out before WELCOME. */
  readonly early?: boolean
  /** Welcomes a session again that says HELLO again. */
  readonly again?: boolean
  /** Gives whoever proves a name the role that HELLO asks for. */
  readonly believes?: boolean
  /** How long the close of the socket comes behind ABORT, milliseconds. */
  readonly lingers?: (details: HelloDetails) => number
  /** Lets a challenge stand after a wrong answer. */
  readonly patient?: boolean
  readonly audit?: AuditOptions
}

/** What users share with the router. */
export const secrets: Readonly<Record<string, string>> = {
  mira: 'a-secret-of-mira-that-is-random',
  otto: 'a-secret-of-otto-that-is-random',
}

/** Logins by WAMP-CRA. Who is in may subscribe. */
export const wampLogins: AuditOptions = {
  protocol: 'wamp',
  identities: {
    low: { wamp: { authid: 'mira', method: 'wampcra', secret: secrets['mira'] ?? '' } },
    high: { wamp: { authid: 'otto', method: 'wampcra', secret: secrets['otto'] ?? '' } },
  },
  whoami: { send: { subscribe: 'com.audit.news' }, expect: '^\\[(?<identity>33),' },
  knownUsers: ['mira', 'otto'],
  settleMs: 300,
}

/** A challenge for whoever, which those can answer who have the secret. */
export function challengeFor(
  authid: string | undefined,
  challenge: string = randomBytes(16).toString('base64url'),
): Decision {
  const secret = secrets[authid ?? ''] ?? randomBytes(32).toString('hex')
  return {
    kind: 'challenge',
    method: 'wampcra',
    extra: { challenge },
    verify: (signature) => signature === createHmac('sha256', secret).update(challenge).digest('base64'),
  }
}

const usual = ({ authid, authmethods = [] }: HelloDetails): Decision =>
  authmethods.includes('wampcra')
    ? challengeFor(authid)
    : { kind: 'abort', uri: 'wamp.error.no_matching_auth_method', message: 'no such method' }

/** Starts one. */
export async function openNaiveWamp(options: NaiveWampOptions = {}): Promise<Target> {
  const server = createServer()
  const wss = new WebSocketServer({ server, handleProtocols: () => 'wamp.2.json' })
  const subscribers = new Set<WebSocket>()
  wss.on('connection', (socket) => converse(socket, options, subscribers))
  return listening(server, { ...wampLogins, ...options.audit }, () => {
    for (const socket of wss.clients) socket.terminate()
  })
}

type SentMessage = readonly [
  code: number,
  second: string,
  third: HelloDetails,
  topic?: string,
  args?: unknown,
]

interface Pending {
  readonly decision: Extract<Decision, { kind: 'challenge' }>
  readonly authid: string
}

function converse(socket: WebSocket, options: NaiveWampOptions, subscribers: Set<WebSocket>): void {
  const { decide = usual, early, again, patient, believes, lingers } = options
  let isIn = false
  let authrole = 'member'
  let lingerMs = 0
  let pending: Pending | undefined
  const say = (...message: readonly unknown[]): void => socket.send(JSON.stringify(message))
  const abort = (uri: string, message = ''): void => {
    say(3, { message }, uri)
    if (patient === true) return
    if (lingerMs > 0) setTimeout(() => socket.close(1000), lingerMs)
    else socket.close(1000)
  }
  const welcome = (authid: string): void => {
    isIn = true
    say(2, randomInt(1, 2 ** 40), { authid, authrole, roles: {} })
  }
  const hello = (details: HelloDetails): void => {
    if (isIn && again !== true) return abort('wamp.error.protocol_violation')
    if (isIn) return welcome(details.authid ?? 'anonymous')
    lingerMs = lingers?.(details) ?? 0
    if (believes === true) authrole = details.authrole ?? authrole
    const decision = decide(details)
    if (decision.kind === 'welcome') return welcome(decision.authid)
    if (decision.kind === 'abort') return abort(decision.uri, decision.message)
    pending = { decision, authid: details.authid ?? '' }
    say(4, decision.method, decision.extra)
  }
  const authenticate = (signature: string): void => {
    if (pending === undefined) return abort('wamp.error.protocol_violation')
    const { decision, authid } = pending
    if (patient !== true) pending = undefined
    if (decision.verify(signature)) welcome(authid)
    else abort('wamp.error.authentication_denied', 'wrong')
  }
  const carryOut = (code: number, request: unknown, args: unknown): void => {
    if (code === 32) subscribers.add(socket)
    if (code === 16) for (const one of subscribers) one.send(JSON.stringify([36, 1, 1, {}, args]))
    say(33, request, randomInt(1, 2 ** 40))
  }
  socket.on('error', () => undefined)
  socket.on('close', () => subscribers.delete(socket))
  socket.on('message', (data) => {
    // Sent by the scanner.
    const [code, second, third, , args] = JSON.parse(String(data)) as SentMessage
    if (code === 1) hello(third)
    else if (code === 5) authenticate(second)
    else if (isIn || early === true) carryOut(code, second, args)
    else abort('wamp.error.protocol_violation')
  })
}
