import { httpOrigin } from './facts.ts'

const patienceMs = 8_000

/**
 * Loads the frame of the socket's origin out of sight, hands it the ticket when it is ready, and tells whether it set
 * its cookie. The ticket goes to that one origin and to no other.
 */
export function exchangeInFrame(doorUrl: string, ticket: string): Promise<boolean> {
  const origin = httpOrigin(doorUrl)
  const frame = document.createElement('iframe')
  frame.hidden = true
  frame.title = 'Exchange of a ticket for a cookie'
  frame.src = `${origin}/countersign/frame`
  return new Promise((resolve) => {
    const finish = (done: boolean): void => {
      clearTimeout(timer)
      removeEventListener('message', hear)
      frame.remove()
      resolve(done)
    }
    const hear = (event: MessageEvent<unknown>): void => {
      if (event.origin !== origin || event.source !== frame.contentWindow) return
      const type = typeOf(event.data)
      if (type === 'countersign-frame-ready') {
        frame.contentWindow?.postMessage({ type: 'countersign-ticket', ticket }, origin)
      }
      if (type === 'countersign-frame-done') finish(true)
      if (type === 'countersign-frame-failed') finish(false)
    }
    const timer = setTimeout(() => finish(false), patienceMs)
    addEventListener('message', hear)
    document.body.append(frame)
  })
}

function typeOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'type' in data ? data.type : undefined
}
