/** Plain HTTP of an audit: pages, logins, hooks. Pinned to the address that was resolved once, bounded, never redirected by itself. */
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import type { Header } from './answer.ts'
import type { DialFailure, TlsOptions } from './dial.ts'
import type { VisitNeeds } from './visit.ts'

/** A request. */
export interface PageRequest {
  readonly url: URL
  /** @default 'GET' */
  readonly method?: string
  readonly headers?: readonly Header[]
  readonly body?: string
  /** Of whoever asks, beside that of every connection. */
  readonly tls?: TlsOptions | undefined
}

/** What came back. */
export type PageAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: readonly Header[]
      /** At most 1 MiB of it. */
      readonly body: string
    }
  | { readonly kind: 'failed'; readonly why: DialFailure['why'] | 'garbage'; readonly detail: string }

const maxPageBytes = 1_048_576

/** Asks once. Redirects are answers like others. @throws BudgetSpent, OutOfScope, Unresolved */
export async function requestPage(needs: VisitNeeds, ask: PageRequest): Promise<PageAnswer> {
  const [address = ''] = await needs.scope.addressesOf(ask.url)
  const giveBack = await needs.budget.seat()
  try {
    return await new Promise((resolve) => {
      const sent = send(needs, ask, address)
      const done = (answer: PageAnswer): void => {
        resolve(answer)
        sent.destroy()
      }
      sent.on('timeout', () => done(failed('timeout', `nothing for ${needs.patienceMs} ms`)))
      sent.on('error', (error: NodeJS.ErrnoException) => done(failureOf(error)))
      sent.once('close', () => done(failed('reset', 'closed without an answer')))
      sent.on('response', (response) => readAnswer(needs, response, done))
      // A page that answers 101 to a plain request is no page.
      sent.on('upgrade', (response) =>
        done({ kind: 'answered', status: response.statusCode ?? 0, headers: fieldsOf(response), body: '' }),
      )
      sent.end(ask.body)
    })
  } finally {
    giveBack()
  }
}

function send(needs: VisitNeeds, ask: PageRequest, address: string): ClientRequest {
  const { url, method = 'GET', headers = [], body } = ask
  const request = url.protocol === 'https:' || url.protocol === 'wss:' ? requestHttps : requestHttp
  const family = isIP(address)
  const fields: readonly Header[] = [
    ['Host', url.host],
    ['Connection', 'close'],
    ...(body === undefined
      ? emptyOf(method)
      : [['Content-Length', String(Buffer.byteLength(body))] as const]),
    ...headers,
  ]
  return request(new URL(url.href.replace(/^ws/, 'http')), {
    method,
    agent: false,
    signal: needs.budget.signal,
    timeout: needs.patienceMs,
    ...(needs.localAddress === undefined ? {} : { localAddress: needs.localAddress }),
    headers: fields.flat(),
    lookup: (_name, { all }, callback) => {
      if (all === true) callback(null, [{ address, family }])
      else callback(null, address, family)
    },
    ...needs.tls,
    ...ask.tls,
  })
}

/** Whoever posts nothing says so (RFC 9110 §8.6): without it Node announces a body in chunks, of no media type. */
function emptyOf(method: string): readonly Header[] {
  return method === 'GET' || method === 'HEAD' ? [] : [['Content-Length', '0']]
}

function failureOf({ code = '', name }: NodeJS.ErrnoException): PageAnswer {
  if (code === 'ECONNREFUSED') return failed('refused', code)
  return code.startsWith('HPE_') ? failed('garbage', code) : failed('reset', code === '' ? name : code)
}

function failed(why: Extract<PageAnswer, { kind: 'failed' }>['why'], detail: string): PageAnswer {
  return { kind: 'failed', why, detail }
}

function readAnswer(needs: VisitNeeds, response: IncomingMessage, done: (answer: PageAnswer) => void): void {
  const chunks: Buffer[] = []
  let length = 0
  const finish = (): void =>
    done({
      kind: 'answered',
      status: response.statusCode ?? 0,
      headers: fieldsOf(response),
      body: Buffer.concat(chunks).toString('utf8'),
    })
  response.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length <= maxPageBytes) chunks.push(chunk)
    if (length > maxPageBytes || !needs.budget.spend(chunk.length)) finish()
  })
  response.once('end', finish)
  response.once('error', finish)
}

function fieldsOf({ rawHeaders }: IncomingMessage): readonly Header[] {
  return rawHeaders.flatMap((name, at): Header[] => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : []))
}
