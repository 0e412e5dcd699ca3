/** A HAR file with a recorded socket: where it is, what opened it, and the messages that become probes. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from 'countersign/wire'
import type { Header } from '../answer.ts'
import { jsonOf } from '../json-of.ts'

/** What is read of a HAR file at most, bytes. */
export const maxHarBytes = 33_554_432

/** A recorded socket. */
export interface HarTarget {
  readonly url: string
  readonly headers: readonly Header[]
  /** The page that opened it, where the recording names it. */
  readonly page: string | undefined
  /** Text messages that the recorded client sent, in order, at most 200. */
  readonly sent: readonly string[]
}

const maxMessages = 200

/**
 * Finds the first recorded socket (HAR 1.2 with `_webSocketMessages`, as Chromium and Firefox write it).
 *
 * @returns `undefined` for what is no HAR file, or holds no socket
 */
export function parseHar(text: string): HarTarget | undefined {
  const har = jsonOf(text, maxHarBytes)
  const log = isJsonObject(har) ? har['log'] : undefined
  const entries = isJsonObject(log) ? log['entries'] : undefined
  if (!isJsonArray(entries)) return undefined
  const found = entries.flatMap((entry) => (isJsonObject(entry) ? [targetOf(entry)] : []))
  return found.find((target) => target !== undefined)
}

function targetOf(entry: JsonObject): HarTarget | undefined {
  const { request, _webSocketMessages: messages } = entry
  if (!isJsonObject(request)) return undefined
  const { url, headers } = request
  const isSocket = typeof url === 'string' && (/^wss?:/.test(url) || isJsonArray(messages))
  if (!isSocket) return undefined
  return {
    url: url.replace(/^http/, 'ws'),
    headers: isJsonArray(headers) ? headers.flatMap(headerOf) : [],
    page: pageOf(entry),
    sent: isJsonArray(messages) ? messages.flatMap(sentOf).slice(0, maxMessages) : [],
  }
}

function headerOf(value: Json): readonly Header[] {
  if (!isJsonObject(value)) return []
  const { name, value: text } = value
  // Recordings of HTTP/2 name fields of their own, which begin with a colon.
  return typeof name === 'string' && typeof text === 'string' && !name.startsWith(':') ? [[name, text]] : []
}

function sentOf(value: Json): readonly string[] {
  if (!isJsonObject(value)) return []
  const { type, opcode, data } = value
  return type === 'send' && opcode === 1 && typeof data === 'string' ? [data] : []
}

function pageOf({ _initiator: initiator }: JsonObject): string | undefined {
  const url = isJsonObject(initiator) ? initiator['url'] : undefined
  return typeof url === 'string' && /^https?:/.test(url) ? url : undefined
}
