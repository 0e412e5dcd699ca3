/** What a login asks for after its form: what each answer gives, and where that goes in what is asked next. */
import { isJsonObject } from 'countersign/wire'
import type { Header } from './answer.ts'
import type { AskOptions } from './identity.ts'
import { jsonOf } from './json-of.ts'
import type { LoginStep } from './options.ts'
import { secretsOfHeaders, secretsOfMessage, secretsOfQuery } from './spoken-secrets.ts'

/** What was taken from answers, by name. */
export type TakenValues = ReadonlyMap<string, string>

const places = /\{(\w{1,64})\}/g

/** A text with what was taken in the places of its names. Braces around anything else stay as they are. */
export function withTaken(
  text: string,
  values: TakenValues,
  write: (value: string) => string = (value) => value,
): string {
  return text.replace(places, (whole, name: string) => {
    const value = values.get(name)
    return value === undefined ? whole : write(value)
  })
}

/** A body with what was taken in it, encoded as the body is: JSON, or the fields of a form. */
export function bodyWithTaken(body: string, values: TakenValues): string {
  return withTaken(body, values, isJson(body) ? inJson : encodeURIComponent)
}

/** A request as a configuration has it: a step, or a hook. */
export type WrittenRequest = Pick<LoginStep, 'url' | 'method' | 'headers' | 'body'>

/** A request with what was taken in it. A body has a media type, by the look of it where no field says one. */
export function requestWithTaken(
  { url, method = 'POST', headers = {}, body }: WrittenRequest,
  values: TakenValues,
): AskOptions & { readonly path: string } {
  const fields = Object.entries(headers).map(([name, text]): Header => [name, withTaken(text, values)])
  const typed = body === undefined || fields.some(([name]) => name.toLowerCase() === 'content-type')
  const filled = body === undefined ? {} : { body: bodyWithTaken(body, values) }
  return {
    path: withTaken(url, values, encodeURIComponent),
    method,
    headers: typed ? fields : [['Content-Type', typeOfBody(body)], ...fields],
    ...filled,
  }
}

function typeOfBody(body: string): string {
  return isJson(body) ? 'application/json' : 'application/x-www-form-urlencoded'
}

/** Whether a text has the place of one of these names in it. */
export function hasPlaceOf(text: string, names: ReadonlySet<string>): boolean {
  return [...text.matchAll(places)].some(([, name = '']) => names.has(name))
}

/** A text member or number of an answer that is JSON; `undefined` where it is not there. */
export function memberOf(answer: string, member: string): string | undefined {
  const value = jsonOf(answer)
  const part = isJsonObject(value) ? value[member] : undefined
  return typeof part === 'number' ? String(part) : typeof part === 'string' ? part : undefined
}

/** Secrets that a step is written with. */
export function secretsOfStep({ url, headers = {}, body = '' }: LoginStep): readonly string[] {
  const inQuery = (query: string): readonly string[] =>
    secretsOfQuery(new URL(`?${query}`, 'http://localhost'))
  const secrets = [
    ...inQuery(url.split('?').slice(1).join('?')),
    ...secretsOfHeaders(Object.entries(headers)),
    ...(isJson(body) ? secretsOfMessage(body) : inQuery(body)),
  ]
  return secrets.filter((secret) => !placeAlone.test(secret))
}

const placeAlone = /^(?:\S+ )?\{\w{1,64}\}$/

function isJson(body: string): boolean {
  return /^\s*[[{]/.test(body)
}

function inJson(value: string): string {
  return JSON.stringify(value).slice(1, -1)
}
