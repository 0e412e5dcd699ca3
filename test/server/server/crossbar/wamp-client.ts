/** A client that speaks WAMP in JSON and knows nothing else: what it is told is what the test sees. */
import { createHmac } from 'node:crypto'
import { WebSocket, type ClientOptions } from 'ws'

/** What a client says of itself. */
export interface Who {
  readonly methods?: readonly string[]
  readonly authid?: string
  readonly realm?: string
  readonly extra?: object
  /** Answers a challenge. */
  readonly answer?: (method: string, extra: Readonly<Record<string, unknown>>) => string
  readonly options?: ClientOptions
}

/** How an attempt ended. */
export type Joining =
  | {
      readonly kind: 'joined'
      readonly details: Readonly<Record<string, unknown>>
      readonly session: Session
    }
  | { readonly kind: 'aborted'; readonly reason: string }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  | { readonly kind: 'http'; readonly status: number }

type Message = readonly [number, ...unknown[]]

/** A session that was welcomed. */
export interface Session {
  readonly socket: WebSocket
  /** `Set-Cookie` of the 101. */
  readonly cookies: readonly string[]
  /** Sends a request and waits for its answer: RESULT, REGISTERED, ERROR, … */
  request(code: number, ...rest: readonly unknown[]): Promise<Message>
  /** Registers a procedure. */
  register(procedure: string, procedureBody: (args: readonly unknown[]) => unknown): Promise<Message>
  /** Waits for GOODBYE and answers its reason. */
  goodbye(): Promise<string>
  leave(): Promise<void>
}

/** Answers with the secret of WAMP-CRA. */
export function signs(secret: string): NonNullable<Who['answer']> {
  return (_method, extra) => createHmac('sha256', secret).update(String(extra['challenge'])).digest('base64')
}

/** Answers with a ticket. */
export function shows(ticket: string): NonNullable<Who['answer']> {
  return () => ticket
}

/** Connects and joins `realm1`. */
export function join(url: string, who: Who = {}): Promise<Joining> {
  const { methods = ['anonymous'], authid, realm = 'realm1', extra, answer, options = {} } = who
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ['wamp.2.json'], options)
    let cookies: readonly string[] = []
    socket.on('error', () => undefined)
    socket.on('upgrade', (response) => (cookies = response.headers['set-cookie'] ?? []))
    socket.on('unexpected-response', (_request, response) => {
      response.resume()
      resolve({ kind: 'http', status: response.statusCode ?? 0 })
    })
    socket.on('open', () => {
      const roles = { caller: {}, callee: {}, publisher: {}, subscriber: {} }
      socket.send(JSON.stringify([1, realm, { roles, authmethods: methods, authid, authextra: extra }]))
    })
    socket.on('close', (code, reason) => resolve({ kind: 'closed', code, reason: String(reason) }))
    const hear = (data: Buffer): void => {
      const [code, ...rest] = messageOf(data)
      if (code === 4) {
        const [method, challenge] = rest
        socket.send(JSON.stringify([5, answer?.(String(method), dictOf(challenge)) ?? '', {}]))
      } else if (code === 3) resolve({ kind: 'aborted', reason: String(rest[1]) })
      else if (code === 2) {
        socket.off('message', hear)
        resolve({ kind: 'joined', details: dictOf(rest[1]), session: sessionOn(socket, cookies) })
      }
    }
    socket.on('message', hear)
  })
}

/** Joins, and fails the test where it is not let in. */
export async function joined(url: string, who: Who = {}): Promise<Session> {
  const joining = await join(url, who)
  if (joining.kind !== 'joined') throw new Error(`not let in: ${JSON.stringify(joining)}`)
  return joining.session
}

function sessionOn(socket: WebSocket, cookies: readonly string[]): Session {
  const waiting = new Map<unknown, (message: Message) => void>()
  const bodies = new Map<unknown, (args: readonly unknown[]) => unknown>()
  let last = 0
  const farewell = new Promise<string>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const message = messageOf(data)
      const [code] = message
      if (code === 6) {
        resolve(String(message[2]))
        socket.send(JSON.stringify([6, {}, 'wamp.close.goodbye_and_out']))
      } else if (code === 68) answerInvocation(socket, message, bodies.get(message[2]))
      else waiting.get(code === 8 ? message[2] : message[1])?.(message)
    })
  })
  const request = (code: number, ...rest: readonly unknown[]): Promise<Message> =>
    new Promise((resolve) => {
      const id = ++last
      waiting.set(id, resolve)
      socket.send(JSON.stringify([code, id, ...rest]))
    })
  return {
    socket,
    cookies,
    request,
    async register(procedure, body) {
      const answer = await request(64, {}, procedure)
      bodies.set(answer[2], body)
      return answer
    },
    goodbye: () => farewell,
    leave: () =>
      new Promise((resolve) => {
        socket.on('close', () => resolve())
        socket.close()
      }),
  }
}

function answerInvocation(
  socket: WebSocket,
  message: Message,
  body: ((args: readonly unknown[]) => unknown) | undefined,
): void {
  const args = message[4]
  try {
    socket.send(JSON.stringify([70, message[1], {}, [body?.(Array.isArray(args) ? args : [])]]))
  } catch {
    socket.send(JSON.stringify([8, 68, message[1], {}, 'com.example.denied']))
  }
}

function messageOf(data: Buffer): Message {
  // Whatever the router sends is an array that begins with a code.
  return JSON.parse(data.toString()) as Message
}

function dictOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
