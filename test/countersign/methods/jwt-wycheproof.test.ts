import { existsSync, readFileSync } from 'node:fs'
import type { JWK } from 'jose'
import { expect, test } from 'vitest'
import { drive } from '../../../packages/countersign/src/core/drive.ts'
import { MisuseError } from '../../../packages/countersign/src/core/errors.ts'
import type { Answers, CompactJws } from '../../../packages/countersign/src/core/ports.ts'
import { isJwtAlgorithm, jwtAlgorithms } from '../../../packages/countersign/src/methods/jwt-algorithms.ts'
import { hmacSecret, localJwks } from '../../../packages/countersign/src/methods/jwt-keys.ts'
import { isSigned, type Signing } from '../../../packages/countersign/src/methods/jwt-signature.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { webcryptoPlatform } from '../../../packages/countersign/src/platform/webcrypto.ts'
import { decodeBase64url } from '../../../packages/countersign/src/wire/base64.ts'
import { parseCompactJws } from '../../../packages/countersign/src/wire/jws.ts'
import { answersOf, now } from './jwt-support.ts'

interface Vectors {
  readonly testGroups: readonly {
    readonly private: JWK
    readonly public?: JWK
    readonly tests: readonly {
      readonly tcId: number
      readonly jws: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

const file = new URL('../../../../shared/vectors/wycheproof/json_web_signature_test.json', import.meta.url)
const here = existsSync(file)
/** Labels that are wrong or contradict each other. */
const excluded = new Set([346, 347, 350, 351, 367, 370, 372, 373])
const name = 'agrees with all 393 usable Wycheproof verdicts on signatures'
const platforms = { 'the platform of Node': nodePlatform(), 'the portable platform': webcryptoPlatform() }

// The reason stands in the name, for whoever reads the list of skipped tests.
const told = here ? name : `${name} (skipped: the folder ../shared/vectors is absent)`

test.skipIf(!here).each(Object.entries(platforms))(`%s ${told}`, async (_platform, platform) => {
  const vectors: Vectors = JSON.parse(readFileSync(file, 'utf8'))
  const wrong: number[] = []
  let judged = 0
  for (const group of vectors.testGroups) {
    const signing = signingOf(group.public ?? group.private)
    for (const { tcId, jws, result } of group.tests) {
      if (excluded.has(tcId)) continue
      judged++
      if ((await verifies(signing, jws, answersOf(undefined, platform))) !== (result === 'valid'))
        wrong.push(tcId)
    }
  }
  expect(wrong).toEqual([])
  expect(judged).toBe(393)
})

/** The group's key as an issuer of the method has it; `undefined`: the method refuses to use such a key at all. */
function signingOf(jwk: JWK): Signing | undefined {
  const all = Object.keys(jwtAlgorithms).filter(isJwtAlgorithm)
  const kind = jwk.kty === 'oct' ? 'secret' : 'public'
  const algorithms = isJwtAlgorithm(jwk.alg)
    ? [jwk.alg]
    : all.filter((alg) => jwtAlgorithms[alg].kind === kind)
  try {
    if (kind === 'public') return { keys: localJwks({ keys: [jwk] }), algorithms }
    const bytes = decodeBase64url(jwk.k ?? '', 1024) ?? new Uint8Array()
    return { keys: hmacSecret(bytes, jwk.kid === undefined ? {} : { kid: jwk.kid }), algorithms }
  } catch (error) {
    if (error instanceof MisuseError) return undefined
    throw error
  }
}

async function verifies(signing: Signing | undefined, jws: string, answers: Answers): Promise<boolean> {
  const parsed = preparse(jws)
  if (signing === undefined || parsed === undefined) return false
  const turn = await drive(isSigned(signing, parsed, now), answers)
  return turn.kind === 'done' && turn.value
}

/**
 * The strict pre-parse, for payloads that are no JSON: the vectors sign `foo` and the empty text. An empty object takes
 * the payload's place while header and signature are parsed; the payload's own encoding is checked beside it.
 */
function preparse(jws: string): CompactJws | undefined {
  const [header = '', payload = '', signature = '', ...rest] = jws.split('.')
  const parsed = parseCompactJws([header, 'e30', signature, ...rest].join('.'))
  if (parsed.kind !== 'found' || decodeBase64url(payload, 16_384) === undefined) return undefined
  return { ...parsed.value, token: jws, signingInput: `${header}.${payload}` }
}
