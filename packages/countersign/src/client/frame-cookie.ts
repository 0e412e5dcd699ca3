/** A cookie of the socket server's own origin, set through a hidden frame, with a ticket where that does not work. */
import type { Ask, Attempt, Carrier, GetCredential } from './carrier.ts'
import { issued } from './carrier.ts'
import { query } from './query.ts'

/** What a frame says, and what it is told. */
interface FrameMessage {
  readonly data: unknown
  readonly origin: string
  readonly source: unknown
}

/** The members that are used of a frame element. */
export interface FrameElement {
  hidden: boolean
  src: string
  readonly contentWindow: { postMessage(message: unknown, targetOrigin: string): void } | null
  remove(): void
}

/** The members that are used of the page. */
export interface FramePage {
  readonly document: {
    createElement(name: 'iframe'): FrameElement
    readonly body: { append(frame: never): void }
  }
  addEventListener(type: 'message', listener: (event: FrameMessage) => void): void
  removeEventListener(type: 'message', listener: (event: FrameMessage) => void): void
}

/** How the cookie is got. */
export interface FrameCookieOptions {
  /** A ticket of purpose `frame`, for the exchange. */
  readonly getFrameTicket: GetCredential
  /** A ticket that opens a socket, where the browser keeps no cookie of another site. */
  readonly getTicket: GetCredential
  /** @default `'/countersign/frame'` on the socket's host */
  readonly path?: string
  /** An exchange that takes longer has failed, ms. @default 5,000 */
  readonly patienceMs?: number
  /** @default the page that this runs in */
  readonly page?: FramePage
}

/**
 * Exchanges a ticket for the cookie before the first connection, and again when the cookie has run out. Where the
 * exchange fails, or its fresh cookie does not arrive, tickets travel in the query from then on.
 */
export function frameCookie(options: FrameCookieOptions): Carrier {
  const fallback = query(options.getTicket)
  let cookie: 'none' | 'fresh' | 'useless' = 'none'
  return async (target, ask): Promise<Attempt> => {
    if (ask.refused !== undefined)
      cookie = cookie === 'fresh' && ask.refused === 'missing_credential' ? 'useless' : cookie
    if (cookie === 'none' || (cookie === 'fresh' && ask.refused !== undefined)) {
      cookie = (await exchange(target.url, options, ask)) ? 'fresh' : 'useless'
    }
    return cookie === 'fresh' ? { ...target, credential: undefined } : fallback(target, ask)
  }
}

/** Hands the ticket to the frame: to its exact origin, and only once it has said from there that it is ready. */
async function exchange(socketUrl: string, options: FrameCookieOptions, ask: Ask): Promise<boolean> {
  const { path = '/countersign/frame', patienceMs = 5_000 } = options
  // The few members that are used of it; where there is no page, nothing calls this.
  const page = options.page ?? (globalThis as unknown as FramePage)
  const { credential: ticket } = issued(await options.getFrameTicket(ask))
  const url = new URL(path, socketUrl.replace(/^ws/, 'http'))
  const frame = page.document.createElement('iframe')
  let handed = false
  return new Promise((resolve) => {
    const done = (worked: boolean): void => {
      clearTimeout(timer)
      ask.signal.removeEventListener('abort', giveUp)
      page.removeEventListener('message', hear)
      frame.remove()
      resolve(worked)
    }
    const giveUp = (): void => done(false)
    const hear = ({ data, origin, source }: FrameMessage): void => {
      if (source !== frame.contentWindow || origin !== url.origin) return
      const type = typeof data === 'object' && data !== null && 'type' in data ? data.type : undefined
      if (type === 'countersign-frame-ready') {
        // Single-use: a frame that says it twice gets it once.
        if (handed) return
        handed = true
        frame.contentWindow?.postMessage({ type: 'countersign-ticket', ticket }, url.origin)
      } else if (type === 'countersign-frame-done' || type === 'countersign-frame-failed') {
        done(type === 'countersign-frame-done')
      }
    }
    const timer = setTimeout(giveUp, patienceMs)
    ask.signal.addEventListener('abort', giveUp)
    page.addEventListener('message', hear)
    frame.hidden = true
    frame.src = url.href
    // What the page itself has made, it takes.
    page.document.body.append(frame as never)
  })
}
