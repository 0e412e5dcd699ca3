/** A socket that rests on the login of this page: when that ends elsewhere, the page hears it at once and says why. */
import { find } from './dom.ts'

/** The page's own socket, in the head of the page. */
export interface OwnSocket {
  /** Opens it, unless it is open; a login that has ended before then is told, too. */
  readonly open: (url: string) => void
  /** Cases take the login away and give it back: what happens until the next `open` is theirs. */
  readonly pause: () => void
  /** Tells that the login has ended, where no socket could. */
  readonly ended: () => void
}

const sentences: Readonly<Record<string, string>> = {
  logged_out: 'This login was logged out elsewhere.',
  lease_expired: 'This login has run out.',
  revoked: 'This login was taken back by whoever runs the lab.',
}

/** Finds the words of the head. Nothing is opened yet. @param onEnd called when the login has ended elsewhere */
export function findOwnSocket(onEnd: () => void): OwnSocket {
  const state = find('[data-own-socket]', HTMLElement)
  const notice = find('[data-login-end]', HTMLElement)
  const words = find('[data-login-end-words]', HTMLElement)
  let socket: WebSocket | undefined
  const tell = (sentence: string, how: string): void => {
    words.textContent = how === '' ? sentence : `${sentence} The socket that rested on it was ${how} at once.`
    notice.hidden = false
    onEnd()
  }
  const hear = (code: number, reason: string): void => {
    state.textContent = 'socket closed'
    if (code < 3_000) return
    tell(sentences[reason] ?? 'This login has ended.', `closed with ${code} ${reason}`)
  }
  return {
    open(url) {
      if (socket !== undefined) return
      const opening = new WebSocket(url)
      socket = opening
      notice.hidden = true
      opening.addEventListener('message', () => (state.textContent = 'socket open'), { once: true })
      opening.addEventListener('close', ({ code, reason }) => {
        if (socket !== opening) return
        socket = undefined
        hear(code, reason)
      })
    },
    pause() {
      const open = socket
      socket = undefined
      open?.close(1000)
      state.textContent = 'socket closed'
    },
    ended: () => tell('This login has ended.', ''),
  }
}
