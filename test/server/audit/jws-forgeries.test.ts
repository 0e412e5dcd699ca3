import { generateKeyPairSync, sign } from 'node:crypto'
import { parseCompactJws } from 'countersign/wire'
import { importSPKI, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { forgeriesOf, partsOf } from '../../../packages/server/src/audit/jws-forgeries.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const input = `${encode({ alg: 'ES256', typ: 'JWT', kid: 'one' })}.${encode({ sub: 'mira', exp: 4_000_000_000 })}`
const token = `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
const forgeries = forgeriesOf(token, [publicKey])

describe('forgeries of a token', () => {
  it('differ from it and from each other, each under a name of its own', () => {
    expect(new Set([token, ...forgeries.map((forgery) => forgery.token)]).size).toBe(forgeries.length + 1)
    expect(new Set(forgeries.map(({ name }) => name)).size).toBe(forgeries.length)
  })

  it('are refused by a strict reading and a verifier behind it, all of them', async () => {
    const key = await importSPKI(String(publicKey.export({ format: 'pem', type: 'spki' })), 'ES256')
    const believed = await Promise.all(
      forgeries.map(async ({ name, token: forged }) => {
        if (parseCompactJws(forged).kind !== 'found') return []
        return jwtVerify(forged, key, { algorithms: ['ES256'] }).then(
          () => [name],
          () => [],
        )
      }),
    )
    expect(believed.flat()).toEqual([])
  })

  it('have the same bytes where they are only spelled in another way', () => {
    const bytes = (text: string): Buffer => Buffer.from(text.split('.')[2] ?? '', 'base64')
    const respelled = forgeries.filter(({ kind }) => kind === 'respelled')
    expect(respelled.length).toBeGreaterThanOrEqual(3)
    for (const forgery of respelled)
      expect(bytes(forgery.token).equals(bytes(token)), forgery.name).toBe(true)
  })

  it('need a token with three parts', () => {
    for (const text of ['', 'a.b', 'opaque', 'a.b.c', `${token}.more`]) expect(partsOf(text)).toBeUndefined()
    expect(forgeriesOf('opaque', [publicKey])).toEqual([])
  })
})
