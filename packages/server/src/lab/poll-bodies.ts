/** The bodies of a poll, beside whoever reads and writes them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bytesOf, listenIn } from './listen-in.ts'

/** Most bytes that are kept of a body; what comes behind them is not shown. */
const maxBodyBytes = 64 * 1_024

/** Tells the body of a request once it is whole. It is read by the server alone: a listener of ours would start its flow. */
export function hearBody(request: IncomingMessage, use: (body: string) => void): void {
  const body = new Body()
  listenIn(request, 'emit', ([event, chunk]) => {
    if (event === 'data') body.add(chunk)
    else if (event === 'end') use(body.text)
  })
}

/** Tells status and body of an answer once it is whole. */
export function hearAnswer(response: ServerResponse, use: (status: number, body: string) => void): void {
  const body = new Body()
  listenIn(response, 'write', ([chunk]) => body.add(chunk))
  listenIn(response, 'end', ([chunk]) => {
    body.add(chunk)
    use(response.statusCode, body.text)
  })
}

/** A body as it grows. */
class Body {
  readonly #chunks: Buffer[] = []
  #bytes = 0

  add(chunk: unknown): void {
    const bytes = bytesOf(chunk)?.subarray(0, maxBodyBytes - this.#bytes)
    if (bytes === undefined) return
    this.#chunks.push(bytes)
    this.#bytes += bytes.length
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
