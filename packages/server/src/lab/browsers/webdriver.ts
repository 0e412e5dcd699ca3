import { z } from 'zod'
import { BrowserError } from './types.ts'

/** Added to the driver's own time-outs, so that its clearer answer comes first. */
const marginMs = 5_000
const commandTimeoutMs = 30_000

/** Every answer carries its payload in `value`, refusals included. */
const answer = z.object({ value: z.unknown() })
const refusal = z.object({ error: z.string(), message: z.string() })
const newSession = z.object({
  sessionId: z.string(),
  capabilities: z.object({ browserVersion: z.string() }),
})

/** The time-outs of a session (WebDriver, Set Timeouts). */
export interface DriverTimeouts {
  readonly pageLoadMs: number
  readonly scriptMs: number
}

/** What a new session asks for. */
export interface SessionRequest {
  /** `alwaysMatch` capabilities (WebDriver, Capabilities). */
  readonly capabilities: Readonly<Record<string, unknown>>
  readonly timeouts: DriverTimeouts
}

/** One WebDriver session: a browser, looked at through one window at a time. */
export interface Session {
  readonly browserVersion: string
  /** Opens a window and gives its handle; the session goes on looking at the old one. */
  readonly newWindow: () => Promise<string>
  readonly switchTo: (handle: string) => Promise<void>
  readonly closeWindow: () => Promise<void>
  readonly navigate: (url: string) => Promise<void>
  /** Runs an expression that gives a promise, and waits for what it resolves to. */
  readonly evaluate: (expression: string) => Promise<unknown>
  readonly click: (selector: string) => Promise<void>
  readonly type: (selector: string, text: string) => Promise<void>
  /** The viewport as PNG. */
  readonly screenshot: () => Promise<Uint8Array>
  /** Sizes the outer window. */
  readonly resizeWindow: (width: number, height: number) => Promise<void>
  readonly end: () => Promise<void>
}

interface Command {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
  /** @default 30_000 */
  readonly timeoutMs?: number
}

/** Tells whether the driver at `address` (`http://127.0.0.1:PORT`) answers and would start a session. */
export async function isReady(address: string): Promise<boolean> {
  try {
    const status = z.object({ ready: z.boolean() })
    return status.parse(await send(address, { method: 'GET', path: '/status', timeoutMs: 1_000 })).ready
  } catch {
    return false
  }
}

/**
 * Starts a session of W3C WebDriver (classic).
 *
 * @throws BrowserError `protocol` with the driver's words
 */
export async function startSession(
  address: string,
  { capabilities, timeouts }: SessionRequest,
): Promise<Session> {
  const body = { capabilities: { alwaysMatch: capabilities } }
  const started = newSession.parse(await send(address, { method: 'POST', path: '/session', body }))
  const base = `${address}/session/${encodeURIComponent(started.sessionId)}`
  const session = sessionAt(base, timeouts)
  const { pageLoadMs, scriptMs } = timeouts
  await send(base, { method: 'POST', path: '/timeouts', body: { pageLoad: pageLoadMs, script: scriptMs } })
  return { ...session, browserVersion: started.capabilities.browserVersion }
}

/** Each member is one command of the standard; paths are relative to the session's address. */
function sessionAt(base: string, { pageLoadMs, scriptMs }: DriverTimeouts): Omit<Session, 'browserVersion'> {
  const post = (path: string, body: object = {}, timeoutMs = commandTimeoutMs): Promise<unknown> =>
    send(base, { method: 'POST', path, body, timeoutMs })
  const find = async (selector: string): Promise<string> => elementPath(await post('/element', css(selector)))
  return {
    newWindow: async () =>
      z.object({ handle: z.string() }).parse(await post('/window/new', { type: 'window' })).handle,
    switchTo: async (handle) => void (await post('/window', { handle })),
    closeWindow: async () => void (await send(base, { method: 'DELETE', path: '/window' })),
    navigate: async (url) => void (await post('/url', { url }, pageLoadMs + marginMs)),
    evaluate: (expression) => post('/execute/async', asyncScript(expression), scriptMs + marginMs),
    click: async (selector) => void (await post(`${await find(selector)}/click`)),
    type: async (selector, text) => void (await post(`${await find(selector)}/value`, { text })),
    screenshot: async () => {
      const png = z.string().parse(await send(base, { method: 'GET', path: '/screenshot' }))
      return Buffer.from(png, 'base64')
    },
    resizeWindow: async (width, height) => void (await post('/window/rect', { width, height })),
    end: async () => void (await send(base, { method: 'DELETE', path: '', timeoutMs: marginMs })),
  }
}

/** An async script is handed a callback as its last argument (WebDriver, Execute Async Script). */
function asyncScript(expression: string): object {
  return { script: `const done = arguments[arguments.length - 1];\n(${expression}).then(done)`, args: [] }
}

function css(value: string): object {
  return { using: 'css selector', value }
}

/** An element reference is an object whose one value is the element's id (WebDriver, Elements). */
function elementPath(reference: unknown): string {
  const [id = ''] = Object.values(z.record(z.string(), z.string()).parse(reference))
  return `/element/${encodeURIComponent(id)}`
}

/** One command, one answer: the value, or the driver's refusal thrown. */
async function send(base: string, command: Command): Promise<unknown> {
  const { method, path, body, timeoutMs = commandTimeoutMs } = command
  try {
    const response = await fetch(base + path, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const { value } = answer.parse(await response.json())
    if (!response.ok) throw refused(value, command)
    return value
  } catch (cause) {
    if (cause instanceof BrowserError) throw cause
    const late = cause instanceof Error && cause.name === 'TimeoutError'
    throw new BrowserError(late ? 'timeout' : 'protocol', `${method} ${path}: ${String(cause)}`, { cause })
  }
}

/** WebDriver lists the error words under Handling Errors. */
function refused(value: unknown, { method, path }: Command): BrowserError {
  const { error, message } = refusal.catch({ error: 'unknown error', message: '' }).parse(value)
  const late = error === 'timeout' || error === 'script timeout'
  return new BrowserError(late ? 'timeout' : 'protocol', `${method} ${path}: ${error} ${message}`.trimEnd())
}
