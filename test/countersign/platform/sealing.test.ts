import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readOrCreateKeyFile } from '../../../packages/countersign/src/platform/key-file.ts'
import {
  decoyKeyFrom,
  deviceKeyFrom,
  sealer,
  sealingKeysFrom,
} from '../../../packages/countersign/src/platform/node.ts'

const runs = { numRuns: Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000) }
const keyOf = (id: string): { readonly id: string; readonly key: Uint8Array } => ({
  id,
  key: randomBytes(32),
})
const text = (key: Uint8Array): string => Buffer.from(key).toString('base64url')
const invalid = expect.objectContaining({ code: 'invalid_option' })

describe('a sealer', () => {
  const [older, newer] = [keyOf('k1'), keyOf('k2')]

  test('opens what it sealed, for any text and context', () => {
    const box = sealer([newer])
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (secret, context) => {
        const sealed = box.seal(secret, context)
        expect(sealed).toMatch(/^v1\.k2\.[A-Za-z0-9_-]+$/)
        expect(box.unseal(sealed, context)).toBe(secret)
        expect(box.unseal(sealed, `${context}x`)).toBeUndefined()
      }),
      runs,
    )
  })

  test('never seals twice alike', () => {
    const box = sealer([newer])
    expect(box.seal('secret', 'a')).not.toBe(box.seal('secret', 'a'))
  })

  test('seals with the first key and opens with every one', () => {
    const before = sealer([older]).seal('secret', 'a')
    const rotated = sealer([newer, older])
    expect(rotated.unseal(before, 'a')).toBe('secret')
    expect(rotated.seal('secret', 'a')).toMatch(/^v1\.k2\./)
    expect(sealer([newer]).unseal(before, 'a')).toBeUndefined()
  })

  test('does not open what another key of the same id sealed', () => {
    expect(sealer([keyOf('k1')]).unseal(sealer([older]).seal('secret', 'a'), 'a')).toBeUndefined()
  })

  test('does not open a text under the id of another of its keys', () => {
    const same = { id: 'copy', key: older.key }
    const sealed = sealer([older]).seal('secret', 'a')
    expect(sealer([older, same]).unseal(sealed.replace('k1', 'copy'), 'a')).toBeUndefined()
  })

  test('does not open a text of which one character was changed', () => {
    const box = sealer([newer])
    // Several: in one of four the bits beyond the last byte are all that changes.
    for (const sealed of Array.from({ length: 64 }, () => box.seal('secret', 'a'))) {
      for (let at = 0; at < sealed.length; at++) {
        const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
        expect(box.unseal(changed, 'a')).toBeUndefined()
      }
    }
  })

  test('answers undefined to any other text', () => {
    const box = sealer([newer])
    const shaped = fc.base64String().map((body) => `v1.k2.${body}`)
    fc.assert(
      fc.property(fc.oneof(fc.string(), shaped), (sealed) => {
        expect(box.unseal(sealed, 'a')).toBeUndefined()
      }),
      runs,
    )
  })

  test.each([
    ['no key', []],
    ['a key of 31 bytes', [{ id: 'a', key: new Uint8Array(31) }]],
    ['a key id with a dot', [{ id: 'a.b', key: new Uint8Array(32) }]],
    ['an empty key id', [{ id: '', key: new Uint8Array(32) }]],
    ['two keys of one id', [older, { ...newer, id: 'k1' }]],
  ])('refuses %s', (_name, keys) => {
    expect(() => sealer(keys)).toThrow(invalid)
  })
})

describe('sealing keys from a text', () => {
  const [one, other] = [keyOf('2026-02'), keyOf('2026-01')]

  test('are read newest first', () => {
    const env = `2026-02:${text(one.key)}, 2026-01:${text(other.key)}`
    expect(sealingKeysFrom({ env })).toEqual(
      [one, other].map(({ id, key }) => ({ id, key: new Uint8Array(key) })),
    )
  })

  test('need no id where there is one', () => {
    expect(sealingKeysFrom({ env: text(one.key) })).toEqual([{ id: 'k1', key: new Uint8Array(one.key) }])
  })

  test.each([
    ['a short key', () => text(one.key).slice(1)],
    ['a long key', () => `${text(one.key)}A`],
    ['a key in hexadecimal', () => Buffer.from(one.key).toString('hex')],
    ['an id that is malformed', () => `a b:${text(one.key)}`],
    ['two keys without an id', () => `${text(one.key)},${text(other.key)}`],
    ['no key between commas', () => ','],
  ])('refuses %s without showing it', (_name, env) => {
    const shown = env()
    expect(() => sealingKeysFrom({ env: shown })).toThrow(invalid)
    const secrets = shown.split(/[:,]/).filter((part) => part.length > 8)
    for (const secret of secrets) expect(() => sealingKeysFrom({ env: shown })).not.toThrow(secret)
  })

  test('must come from somewhere', () => {
    for (const source of [{}, { env: undefined }, { env: ' ' }]) {
      expect(() => sealingKeysFrom(source)).toThrow(expect.objectContaining({ code: 'missing_port' }))
    }
  })
})

describe('sealing keys from a file', () => {
  let folder = ''
  let file = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-keys-'))
    file = join(folder, 'sealing.key')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('are made at first use, for the owner alone, and read thereafter', () => {
    const umask = process.umask(0o777)
    try {
      const made = sealingKeysFrom({ file })
      expect(made[0]?.id).toMatch(/^k[0-9a-f]{8}$/)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(sealingKeysFrom({ env: '', file })).toEqual(made)
    } finally {
      process.umask(umask)
    }
    expect(readdirSync(folder)).toEqual(['sealing.key'])
  })

  test('may be several, a line each', () => {
    const keys = [keyOf('b'), keyOf('a')]
    writeFileSync(file, keys.map(({ id, key }) => `${id}:${text(key)}\n`).join(''), { mode: 0o600 })
    expect(sealingKeysFrom({ file }).map(({ id }) => id)).toEqual(['b', 'a'])
  })

  test('are those of the process that was first, when two start at once', () => {
    const first = readOrCreateKeyFile(file, () => {
      writeFileSync(file, 'the first', { mode: 0o600 })
      return 'the second'
    })
    expect(first).toBe('the first')
    expect(readdirSync(folder)).toEqual(['sealing.key'])
  })

  test('are not made behind a link that leads nowhere', () => {
    symlinkSync(join(folder, 'absent'), file)
    expect(() => sealingKeysFrom({ file })).toThrow('EEXIST')
    expect(readdirSync(folder)).toEqual(['sealing.key'])
  })

  test('are left alone where a key is given by text', () => {
    sealingKeysFrom({ env: text(keyOf('a').key), file })
    expect(existsSync(file)).toBe(false)
  })

  test.each(['640', '604', '620', '677'])('are refused when the file has mode %s', (mode) => {
    sealingKeysFrom({ file })
    chmodSync(file, Number.parseInt(mode, 8))
    const secret = readFileSync(file, 'utf8').trim().slice(-43)
    expect(() => sealingKeysFrom({ file })).toThrow(/chmod 600/)
    expect(() => sealingKeysFrom({ file })).not.toThrow(new RegExp(secret))
  })

  test('are refused when the name is a folder, the file is huge or empty, or its folder is not there', () => {
    mkdirSync(file)
    expect(() => sealingKeysFrom({ file })).toThrow(invalid)
    rmSync(file, { recursive: true })
    writeFileSync(file, 'A'.repeat(65_537), { mode: 0o600 })
    expect(() => sealingKeysFrom({ file })).toThrow(invalid)
    writeFileSync(file, '', { mode: 0o600 })
    expect(() => sealingKeysFrom({ file })).toThrow(invalid)
    expect(() => sealingKeysFrom({ file: join(folder, 'absent', 'key') })).toThrow('ENOENT')
    expect(() => sealingKeysFrom({ file: join(file, 'key') })).toThrow('ENOTDIR')
  })
})

describe('the device key', () => {
  test('is the same after a rotation, and no other key that is drawn from the same one', () => {
    const [older, newer] = [keyOf('k1'), keyOf('k2')]
    const key = deviceKeyFrom([older])
    expect(key).toHaveLength(32)
    expect(deviceKeyFrom([newer, older])).toEqual(key)
    for (const other of [decoyKeyFrom([older]), older.key, deviceKeyFrom([newer])])
      expect(text(key)).not.toBe(text(other))
    expect(() => deviceKeyFrom([])).toThrow(invalid)
  })
})

describe('the decoy key', () => {
  test('is the same after a restart and after a rotation, and tells nothing of the sealing key', () => {
    const [older, newer] = [keyOf('k1'), keyOf('k2')]
    const key = decoyKeyFrom([older])
    expect(key).toHaveLength(32)
    expect(decoyKeyFrom([newer, older])).toEqual(key)
    expect(decoyKeyFrom([newer])).not.toEqual(key)
    expect(text(key)).not.toBe(text(older.key))
  })

  test('needs a sealing key', () => {
    expect(() => decoyKeyFrom([])).toThrow(invalid)
  })
})
