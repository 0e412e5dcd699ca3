/** What is left of a reply when all that must differ each time is taken out of it: two replies that teach nothing have one shape. */
import { isJsonArray, isJsonObject, type Json } from 'countersign/wire'
import type { Said } from './challenge-talk.ts'
import { headersOf, type Header } from './answer.ts'
import { jsonOf } from './json-of.ts'
import type { PageAnswer } from './page-request.ts'

/** Numbers that are settings, not values that differ each time. */
const settings: ReadonlySet<string> = new Set(['iterations', 'keylen', 'memory', 'parallel'])
/** Fields of HTTP that differ without saying anything. */
const idleFields: ReadonlySet<string> = new Set([
  'date',
  'content-length',
  'etag',
  'x-request-id',
  'x-response-time',
  'age',
])
/** Texts with no blank in them, long enough to be random; ids and times. */
const random = /[A-Za-z0-9+/_=-]{16,}/g
const time = /\d{4}-\d{2}-\d{2}[T ][\d:.]+(?:Z|[+-]\d{2}:?\d{2})?/g

/** The shape of what a target says in a conversation. */
export function shapeOfSaid(said: Said, user: string): string {
  if (said.kind === 'silent') return 'silence'
  if (said.kind === 'closed') return `closed ${said.code} ${shapeOfText(said.reason, user)}`
  return `${said.kind} ${JSON.stringify(shapeOfValue(said.message, user))}`
}

/** The shape of an answer over HTTP. */
export function shapeOfAnswer(answer: PageAnswer, user: string): string {
  if (answer.kind === 'failed') return `no answer: ${answer.why}`
  const fields = answer.headers.map(([name]) => name.toLowerCase()).filter((name) => !idleFields.has(name))
  const said = ['location', 'www-authenticate', 'retry-after', 'content-type'].flatMap((name) =>
    headersOf(answer.headers, name).map((value) => `${name}: ${shapeOfText(value, user)}`),
  )
  const cookies = cookieNames(answer.headers)
  return [
    answer.status,
    fields.toSorted().join(','),
    ...said,
    ...cookies,
    shapeOfText(answer.body, user),
  ].join('\n')
}

function cookieNames(headers: readonly Header[]): readonly string[] {
  return headersOf(headers, 'set-cookie').map((line) => `cookie ${line.split('=')[0] ?? ''}`)
}

function shapeOfValue(value: Json, user: string): Json {
  if (typeof value === 'string') {
    const inner = jsonOf(value)
    return isJsonObject(inner) ? shapeOfValue(inner, user) : shapeOfText(value, user)
  }
  if (typeof value === 'number') return value < 1_000 ? value : 'number'
  if (isJsonArray(value)) return value.map((one) => shapeOfValue(one, user))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      settings.has(name) ? member : shapeOfMember(name, member, user),
    ]),
  )
}

/** Random members keep their length: a salt that is longer for those who exist says that they do. */
function shapeOfMember(name: string, member: Json, user: string): Json {
  return /salt|nonce/i.test(name) && typeof member === 'string'
    ? `${member.length} characters`
    : shapeOfValue(member, user)
}

function shapeOfText(text: string, user: string): string {
  return text
    .replaceAll(user, '{name}')
    .replaceAll(encodeURIComponent(user), '{name}')
    .replaceAll(time, '{time}')
    .replaceAll(random, (found) => `{${found.length}}`)
}
