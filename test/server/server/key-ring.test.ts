import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openKeyRing, type KeyRing } from '../../../packages/server/src/server/key-ring.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'key-ring-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

async function verifies(ring: KeyRing, token: string): Promise<boolean> {
  const keys = createLocalJWKSet({ keys: ring.jwks().keys.map((key) => ({ ...key })) })
  return jwtVerify(token, keys, { algorithms: ['EdDSA'] }).then(
    () => true,
    () => false,
  )
}

describe('key ring', () => {
  it('signs what its published keys verify', async () => {
    const ring = openKeyRing()
    expect(await verifies(ring, ring.sign('JWT', { sub: 'alice' }))).toBe(true)
    expect(await verifies(openKeyRing(), ring.sign('JWT', { sub: 'alice' }))).toBe(false)
  })

  it('publishes the key before for one rotation, so that tokens under way stay good', async () => {
    const ring = openKeyRing()
    const first = ring.sign('JWT', {})
    ring.rotate()
    const second = ring.sign('JWT', {})
    expect([await verifies(ring, first), await verifies(ring, second)]).toEqual([true, true])
    ring.rotate()
    expect([await verifies(ring, first), await verifies(ring, second)]).toEqual([false, true])
    expect(new Set(ring.jwks().keys.map((key) => key.kid)).size).toBe(2)
  })

  it('survives a restart in a file that its owner alone can read', async () => {
    const file = join(folder, 'keys.json')
    const ring = openKeyRing(file)
    const before = ring.sign('JWT', {})
    ring.rotate()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const again = openKeyRing(file)
    expect(again.jwks()).toEqual(ring.jwks())
    expect(await verifies(again, before)).toBe(true)
  })

  it('refuses a file that others can read', () => {
    const file = join(folder, 'keys.json')
    openKeyRing(file)
    chmodSync(file, 0o640)
    expect(() => openKeyRing(file)).toThrow(/must be readable by its owner alone/)
  })

  it('refuses a file that is no key ring, without quoting it', () => {
    const file = join(folder, 'keys.json')
    for (const text of [
      'marked-secret',
      '{}',
      '{"current":{"kty":"OKP","crv":"Ed25519","x":"a","d":"marked-secret"},"previous":[]}',
    ]) {
      writeFileSync(file, text, { mode: 0o600 })
      expect(() => openKeyRing(file)).toThrow(/is no key ring$/)
    }
  })
})
