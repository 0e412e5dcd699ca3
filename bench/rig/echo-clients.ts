/** Clients whose echoes are measured, bare or the library's own. Started by `EchoClients.start`. */
import { CountersignSocket, firstMessage, query, type BaseSocket } from 'countersign/client'
import { answerQuestions } from './answering.ts'
import { bases } from './bases.ts'
import { burstText } from './bursts.ts'
import type { EchoOrder, EchoQuestions } from './clients-protocol.ts'
import { cpuUs } from './readings.ts'

/** What both kinds have. */
interface Speaker {
  send(text: string): void
  addEventListener(type: 'open' | 'message' | 'close', listener: () => void): void
}

const speakers: Speaker[] = []
const left: number[] = []
let done: () => void = () => undefined

answerQuestions<EchoQuestions>({
  async open(order) {
    await Promise.all(order.credentials.map((credential) => openOne(order, credential)))
    return undefined
  },
  async exchange({ roundTrips }) {
    const [before, startedAt] = [cpuUs(), performance.now()]
    await new Promise<void>((resolve) => {
      done = resolve
      speakers.forEach((speaker, at) => {
        left[at] = roundTrips
        speaker.send(burstText)
      })
    })
    return { us: cpuUs() - before, elapsedMs: performance.now() - startedAt }
  },
})

function openOne(order: EchoOrder, credential: string): Promise<void> {
  const speaker = speakerOf(order, credential)
  const at = speakers.push(speaker) - 1
  left.push(0)
  speaker.addEventListener('message', () => {
    const more = (left[at] ?? 0) - 1
    left[at] = more
    if (more > 0) speaker.send(burstText)
    else if (left.every((count) => count === 0)) done()
  })
  return new Promise((resolve, reject) => {
    speaker.addEventListener('open', resolve)
    speaker.addEventListener('close', () => reject(new Error('closed instead of open')))
  })
}

function speakerOf({ as, base, url, carrier }: EchoOrder, credential: string): Speaker {
  const WebSocket = bases[base]
  const shown = `${url}?ticket=${credential}`
  if (as === 'bare') return new WebSocket(shown)
  if (as === 'least') return new LeastSocket(new WebSocket(shown))
  const show = carrier === 'query' ? query(() => credential) : firstMessage(() => credential)
  return new CountersignSocket(url, { carrier: show, WebSocket, reconnect: false })
}

/**
 * The least that a class in front of a WebSocket can do: an event of its own for each message, since an event belongs to
 * the socket that its listeners know, dispatched by the runtime's `EventTarget`; and a look at its state before it sends.
 */
class LeastSocket extends EventTarget implements Speaker {
  readonly #base: BaseSocket
  #isOpen = false

  constructor(base: BaseSocket) {
    super()
    this.#base = base
    base.addEventListener('open', () => {
      this.#isOpen = true
      this.dispatchEvent(new Event('open'))
    })
    base.addEventListener('message', ({ data }) =>
      this.dispatchEvent(Object.assign(new Event('message'), { data })),
    )
    base.addEventListener('close', () => this.dispatchEvent(new Event('close')))
  }

  send(text: string): void {
    if (this.#isOpen) this.#base.send(text)
  }
}
