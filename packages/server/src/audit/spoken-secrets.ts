/** Secrets that stand in what the scanner is told, found by the names that people give them. */
import { isJsonArray, isJsonObject, type Json } from 'countersign/wire'
import type { Header } from './answer.ts'
import { jsonOf } from './json-of.ts'

const secretName =
  /token|ticket|secret|passw|pwd|auth|jwt|session|sid$|api.?key|^key$|signature|^sig$|credential|csrf|otp/i
/** Names that hold a word of the protocol. */
const plainName = /^(?:authmethods?|authrole|authid|authprovider|authextra)$/i

const maxDepth = 8

/** Values of a query whose names say that they are secret. */
export function secretsOfQuery(url: URL): readonly string[] {
  return [...url.searchParams].flatMap(([name, value]) => (isSecret(name) ? [value] : []))
}

/** Values of header fields whose names say that they are secret, and what stands behind a scheme in them. */
export function secretsOfHeaders(headers: readonly Header[]): readonly string[] {
  return headers.flatMap(([name, value]) => (isSecret(name) ? withoutScheme(value) : []))
}

/** A credential with and without its scheme: a target may send back either. */
export function withoutScheme(value: string): readonly string[] {
  const behind = /^[A-Za-z][\w-]{0,30} +(\S.*)$/.exec(value)?.[1]
  return behind === undefined ? [value] : [value, behind]
}

/** Strings in a message whose names say that they are secret. A message that holds no JSON has none. */
export function secretsOfMessage(message: Json): readonly string[] {
  if (typeof message !== 'string') return secretsIn(message, 0)
  const start = message.search(/[[{]/)
  const value = start === -1 ? undefined : jsonOf(message.slice(start))
  return value === undefined ? [] : secretsIn(value, 0)
}

function secretsIn(value: Json, depth: number): readonly string[] {
  if (depth > maxDepth) return []
  if (isJsonArray(value)) return value.flatMap((one) => secretsIn(one, depth + 1))
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([name, one]) => {
    if (typeof one === 'string') return isSecret(name) ? withoutScheme(one) : []
    return secretsIn(one, depth + 1)
  })
}

function isSecret(name: string): boolean {
  return secretName.test(name) && !plainName.test(name)
}
