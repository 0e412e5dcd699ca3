/** What every platform promises, held against published vectors. */
import type { Platform } from '../core/ports.ts'
import { signatureCases } from './platform-signatures.ts'
import { casesOf, expectEqual, expectThat, type SuiteCase } from './suite.ts'

/**
 * The contract of `Platform`, for an implementation of anyone's. Stores hold hashes and peers hold HMACs
 * that other platforms made: one bit of difference locks everyone out.
 * @param open the platform
 */
export function platformSuite(open: () => Platform): readonly SuiteCase[] {
  return casesOf(cases, open)
}

/** Text, SHA-256 as base64url (FIPS 180-4; the last two: UTF-8, and U+FFFD for what is no Unicode). */
const hashes = [
  ['', '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'],
  ['abc', 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0'],
  ['ü', 'YHR0ykdalyTXNgq6caVtXfd-YTUOP3JM-h9G6Ffi2F8'],
  ['\ud800', 'g9VEzMIjwFfSv4DT8qMpgsMsPA244mdIINpQZHg_sJc'],
] as const

/** Key, text, HMAC-SHA-256 as base64 (RFC 4231 §4.2, §4.3, §4.7; then the empty key). */
const hmacs = [
  [new Uint8Array(20).fill(0x0b), 'Hi There', 'sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c='],
  ['Jefe', 'what do ya want for nothing?', 'W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM='],
  [
    new Uint8Array(131).fill(0xaa),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    'YOQxWR7gtn8Niiaqy/W3f44LxiE3KMUUBUYEDw7jf1Q=',
  ],
  ['', 'x', 'TLyWCZpkZ84AJGHxBUm0iYJl6+YYi0XvrMRCk1FuYsQ='],
  [new Uint8Array(0), 'x', 'TLyWCZpkZ84AJGHxBUm0iYJl6+YYi0XvrMRCk1FuYsQ='],
] as const

/** Secret, salting, first bytes of PBKDF2-HMAC-SHA256 (RFC 7914 §11). */
const derivations = [
  ['passwd', { salt: 'salt', iterations: 1, keylen: 64 }, [0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f]],
  [
    'Password',
    { salt: 'NaCl', iterations: 80_000, keylen: 64 },
    [0x4d, 0xdc, 0xd8, 0xf6, 0x0b, 0x98, 0xbe, 0x21],
  ],
  ['passwd', { salt: 'salt', iterations: 1, keylen: 3 }, [0x55, 0xac, 0x04]],
] as const

/** Public key, message, signature (RFC 8032 §7.1, TEST 3). */
const ed25519 = {
  publicKey: bytesOf('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'),
  message: bytesOf('af82'),
  signature: bytesOf(
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
      '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ),
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** Each against a platform of its own; the vectors are those of the standards named above. */
const cases: Readonly<Record<string, (platform: Platform) => Promise<void> | void>> = {
  async 'hashes by SHA-256, told in base64url without padding'(platform) {
    for (const [text, expected] of hashes)
      expectEqual(await platform.hash(text), expected, `hash of "${text}"`)
  },
  async 'makes HMACs under keys given as text or as bytes, told in standard base64'(platform) {
    for (const [key, text, expected] of hmacs) {
      expectEqual(await platform.hmac(key, text), expected, `HMAC of "${text}"`)
      expectEqual(await platform.hmac(key, text), expected, `HMAC of "${text}", asked again`)
    }
  },
  async 'takes a text key as its UTF-8 bytes'(platform) {
    const asText = await platform.hmac('schlüssel', 'x')
    expectEqual(await platform.hmac(new TextEncoder().encode('schlüssel'), 'x'), asText, 'HMAC')
  },
  async 'keeps keys of equal length apart'(platform) {
    const one = await platform.hmac(new Uint8Array(32).fill(1), 'x')
    const other = await platform.hmac(new Uint8Array(32).fill(2), 'x')
    expectThat(one !== other, 'two keys make two HMACs')
  },
  async 'hashes bytes as it hashes the text that they encode'(platform) {
    expectEqual(await platform.hash(new TextEncoder().encode('ü')), await platform.hash('ü'), 'hash')
  },
  async 'checks Ed25519 signatures over bytes, and refuses other lengths'(platform) {
    const { publicKey, message, signature } = ed25519
    const right = await platform.verifyEd25519({ publicKey, message, signature })
    expectEqual(right, true, 'a right signature')
    for (const wrong of [
      { publicKey, message: new Uint8Array(1), signature },
      { publicKey, message, signature: signature.subarray(1) },
      { publicKey: publicKey.subarray(1), message, signature },
      { publicKey: new Uint8Array(32).fill(0xff), message, signature },
    ])
      expectEqual(await platform.verifyEd25519(wrong), false, 'a wrong signature')
  },
  ...signatureCases,
  async 'derives keys by PBKDF2 with SHA-256'(platform) {
    for (const [secret, salting, expected] of derivations) {
      const bytes = await platform.derive(secret, salting)
      expectEqual(bytes.length, salting.keylen, 'length of the derived key')
      expectEqual([...bytes.subarray(0, 8)], expected, `key derived from "${secret}"`)
    }
  },
  'draws random bytes of the length that was asked for, as base64url'(platform) {
    for (const bytes of [0, 1, 16, 24, 32, 4096, 5000, 70_000]) {
      const text = platform.random(bytes)
      expectEqual(text.length, Math.ceil((bytes * 4) / 3), `length of ${bytes} random bytes`)
      expectThat(/^[A-Za-z0-9_-]*$/.test(text), 'random bytes are told in base64url')
    }
  },
  'never draws the same bytes twice'(platform) {
    const drawn = new Set(Array.from({ length: 10_000 }, () => platform.random(16)))
    expectEqual(drawn.size, 10_000, 'different values')
    // 10,000 × 16 bytes: each of the 64 letters is expected 3,400 times, and is never far from it.
    const letters = [...drawn].map((text) => text.slice(0, 21)).join('')
    const counts = Map.groupBy(letters, (letter) => letter).values()
    expectThat(
      [...counts].every(({ length }) => length > 2500 && length < 4500),
      'all letters are alike in number',
    )
  },
  'tells the time in milliseconds since the epoch'(platform) {
    const before = Date.now()
    const now = platform.clock.now()
    expectThat(now >= before - 1000 && now <= Date.now() + 1000, 'the clock agrees with the system')
  },
  async 'ticks until it is stopped'(platform) {
    let ticks = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = platform.clock.every(1, () => ++ticks === 3 && resolve())
    const waiting = setTimeout(resolve, 5000)
    await promise
    clearTimeout(waiting)
    stop()
    const stopped = ticks
    await new Promise((resolve) => setTimeout(resolve, 20))
    expectThat(stopped >= 3, 'the clock ticks')
    expectEqual(ticks, stopped, 'ticks after the stop')
  },
}
