import { afterEach, describe, expect, test, vi } from 'vitest'
import { argon2Passwords, rejectingPasswords } from '../../../packages/countersign/src/platform/argon2.ts'
import { fakeClock } from '../../../packages/countersign/src/testing/index.ts'

/** As cheap as argon2id allows: the tests are about the answers. */
const cheap = { memoryKiB: 64, passes: 1 } as const

describe('argon2id passwords', () => {
  test('writes a fresh PHC string at every hashing', async () => {
    const passwords = argon2Passwords(cheap)
    const [one, other] = [await passwords.hash('correct horse'), await passwords.hash('correct horse')]
    expect(one).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
    expect(one).not.toBe(other)
  })

  test("hashes by OWASP's minimum unless told otherwise", async () => {
    expect(await argon2Passwords().hash('correct horse')).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  test('tells right from wrong, in all of Unicode', async () => {
    const passwords = argon2Passwords(cheap)
    for (const password of ['correct horse', 'pässwörd 😀', '']) {
      const stored = await passwords.hash(password)
      expect(await passwords.verify(password, stored)).toBe('right')
      expect(await passwords.verify(`${password}x`, stored)).toBe('wrong')
    }
  })

  test('verifies hashes of other parameters', async () => {
    const stored = await argon2Passwords({ memoryKiB: 128, passes: 2 }).hash('correct horse')
    expect(await argon2Passwords(cheap).verify('correct horse', stored)).toBe('right')
  })

  test.each([
    ['no hash', undefined],
    ['a hash of another algorithm', '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW'],
    ['an empty hash', ''],
  ])('answers wrong for %s', async (_name, stored) => {
    expect(await argon2Passwords(cheap).verify('', stored)).toBe('wrong')
  })

  test('rejects for a hash that is damaged', async () => {
    await expect(async () => argon2Passwords(cheap).verify('a', '$argon2id$v=19$m=1')).rejects.toThrow(Error)
  })

  test('hashes 1,024 bytes and refuses more, in bytes and not in letters', async () => {
    const passwords = argon2Passwords(cheap)
    const longest = 'é'.repeat(512)
    const stored = await passwords.hash(longest)
    expect(await passwords.verify(longest, stored)).toBe('right')
    for (const longer of [`${longest}x`, 'x'.repeat(1025)]) {
      expect(await passwords.verify(longer, stored)).toBe('wrong')
      await expect(async () => passwords.hash(longer)).rejects.toMatchObject({ code: 'invalid_option' })
    }
  })

  test('works as long for an unknown account and for a password that is too long as for a wrong one', async () => {
    const passwords = argon2Passwords({ memoryKiB: 4096, passes: 3 })
    const stored = await passwords.hash('correct horse')
    const took = { wrong: Infinity, unknown: Infinity, tooLong: Infinity }
    const measure = async (
      name: keyof typeof took,
      password: string,
      hash: string | undefined,
    ): Promise<void> => {
      const beganMs = performance.now()
      await passwords.verify(password, hash)
      took[name] = Math.min(took[name], performance.now() - beganMs)
    }
    for (let round = 0; round < 12; round++) {
      await measure('wrong', 'staple', stored)
      await measure('unknown', 'staple', undefined)
      await measure('tooLong', 'x'.repeat(5000), stored)
    }
    // The quickest of twelve: other work on the machine only ever adds.
    for (const ms of [took.unknown, took.tooLong]) expect(ms / took.wrong).toBeCloseTo(1, 0)
  })

  test('answers busy at once when too many wait, to known and unknown accounts alike', async () => {
    const passwords = argon2Passwords({ ...cheap, maxConcurrent: 1, maxQueued: 1 })
    const stored = await passwords.hash('correct horse')
    const taken = [passwords.verify('a', stored), passwords.verify('b', undefined)]
    expect(passwords.verify('correct horse', stored)).toBe('busy')
    expect(passwords.verify('c', undefined)).toBe('busy')
    await expect(async () => passwords.hash('d')).rejects.toMatchObject({ code: 'overloaded' })
    for (const outcome of taken) expect(await outcome).toBe('wrong')
    expect(await passwords.verify('correct horse', stored)).toBe('right')
  })

  test.each([
    ['maxConcurrent', 0],
    ['maxConcurrent', 1.5],
    ['maxQueued', -1],
    ['memoryKiB', 7],
    ['passes', 0],
    ['cacheMs', 60_001],
    ['maxCached', 0],
    ['maxCached', Number.NaN],
  ])('refuses %s of %d', (name, value) => {
    expect(() => argon2Passwords({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
  })
})

describe('a password that was right a moment ago', () => {
  test('is right at once, for as long as it may be remembered', async () => {
    const clock = fakeClock()
    const passwords = argon2Passwords({ ...cheap, cacheMs: 10_000, clock })
    const stored = await passwords.hash('correct horse')
    expect(await passwords.verify('correct horse', stored)).toBe('right')
    expect(passwords.verify('correct horse', stored)).toBe('right')
    clock.advance(10_000)
    expect(passwords.verify('correct horse', stored)).toBeInstanceOf(Promise)
  })

  test('is not known under a changed hash', async () => {
    const passwords = argon2Passwords(cheap)
    const [before, after] = [await passwords.hash('correct horse'), await passwords.hash('battery')]
    await passwords.verify('correct horse', before)
    expect(await passwords.verify('correct horse', after)).toBe('wrong')
  })

  test('is worked for again when nothing may be remembered', async () => {
    const passwords = argon2Passwords({ ...cheap, cacheMs: 0 })
    const stored = await passwords.hash('correct horse')
    await passwords.verify('correct horse', stored)
    expect(passwords.verify('correct horse', stored)).toBeInstanceOf(Promise)
  })

  test('is answered even when too many wait', async () => {
    const passwords = argon2Passwords({ ...cheap, maxConcurrent: 1, maxQueued: 0 })
    const stored = await passwords.hash('correct horse')
    await passwords.verify('correct horse', stored)
    const working = passwords.verify('a', stored)
    expect(passwords.verify('correct horse', stored)).toBe('right')
    await working
  })

  test('a wrong one is never remembered', async () => {
    const passwords = argon2Passwords(cheap)
    const stored = await passwords.hash('correct horse')
    await passwords.verify('a', stored)
    expect(passwords.verify('a', stored)).toBeInstanceOf(Promise)
  })
})

describe('without the peer dependency', () => {
  afterEach(() => {
    vi.doUnmock('@node-rs/argon2')
    vi.resetModules()
  })

  test('says what to install and nothing of the machine', async () => {
    vi.resetModules()
    vi.doMock('@node-rs/argon2', () => {
      throw new Error('Cannot find package in /home/me/app')
    })
    const fresh = await import('../../../packages/countersign/src/platform/argon2.ts')
    await expect(async () => fresh.argon2Passwords().verify('a', undefined)).rejects.toMatchObject({
      code: 'missing_port',
      message: expect.stringMatching(/@node-rs\/argon2 .* npm install/),
    })
    await expect(async () => fresh.argon2Passwords().hash('a')).rejects.toThrow(/^(?!.*\/home)/)
  })
})

describe('a guard without passwords', () => {
  test('finds every password wrong and hashes none', () => {
    expect(rejectingPasswords.verify('a', undefined)).toBe('wrong')
    expect(() => rejectingPasswords.hash('a')).toThrow(expect.objectContaining({ code: 'missing_port' }))
  })
})
