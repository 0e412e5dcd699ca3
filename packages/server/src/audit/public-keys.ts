/** The public keys of a target's tokens, as the configuration names them. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isJsonArray, isJsonObject, type Json, type JsonObject } from 'countersign/wire'
import type { Scene } from './check.ts'
import { jsonOf } from './json-of.ts'
import { requestPage } from './page-request.ts'
import { siteUrl } from './target.ts'

const maxKeys = 4

/** Reads them: JWKS or PEM, from a file or an address. What cannot be read gives none. @throws BudgetSpent, OutOfScope */
export async function publicKeys({
  options: { jwks },
  endpoint,
  needs,
}: Scene): Promise<readonly KeyObject[]> {
  if (jwks?.file !== undefined) return keysIn(await readFile(jwks.file, 'utf8').catch(() => ''))
  if (jwks?.url === undefined) return []
  const answer = await requestPage(needs, { url: siteUrl(endpoint, jwks.url) })
  return answer.kind === 'answered' && answer.status === 200 ? keysIn(answer.body) : []
}

function keysIn(text: string): readonly KeyObject[] {
  const pems =
    text.match(/-----BEGIN [A-Z ]{1,30}-----[A-Za-z0-9+/=\s]{1,10000}-----END [A-Z ]{1,30}-----/g) ?? []
  const json = jsonOf(text)
  const listed = isJsonObject(json) ? (json['keys'] ?? [json]) : []
  const jwks: readonly Json[] = isJsonArray(listed) ? listed : []
  return [
    ...pems.map((pem) => keyOf(() => createPublicKey(pem))),
    ...jwks.filter(isPublic).map((key) => keyOf(() => createPublicKey({ key: { ...key }, format: 'jwk' }))),
  ]
    .flatMap((key) => key ?? [])
    .slice(0, maxKeys)
}

function isPublic(key: Json): key is JsonObject {
  return isJsonObject(key) && key['kty'] !== 'oct'
}

/** A key of a kind that Node does not know is none. */
function keyOf(make: () => KeyObject): KeyObject | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
