/** What any runtime with Web Crypto lends. Every digest is a promise: use the runtime's own platform where there is one. */
import type { Clock, Platform } from '../core/ports.ts'
import type { Hash } from '../core/records.ts'
import { schemeOf } from './signatures.ts'

const utf8 = new TextEncoder()
const hmacSha256 = { name: 'HMAC', hash: 'SHA-256' } as const

/** The portable platform: `crypto.subtle`, `crypto.getRandomValues`, `Date.now`, `setInterval` and nothing else. */
export function webcryptoPlatform(): Platform {
  return {
    clock: systemClock(),
    async hash(text) {
      const bytes = typeof text === 'string' ? utf8.encode(text) : Uint8Array.from(text)
      const digest = await crypto.subtle.digest('SHA-256', bytes)
      // The digest of a text is what `Hash` is the name of.
      return base64url(new Uint8Array(digest)) as Hash
    },
    async hmac(key, text) {
      const bytes = Uint8Array.from(typeof key === 'string' ? utf8.encode(key) : key)
      const imported = await crypto.subtle.importKey('raw', padded(bytes), hmacSha256, false, ['sign'])
      return base64(new Uint8Array(await crypto.subtle.sign('HMAC', imported, utf8.encode(text))))
    },
    async verify(key, text, signature) {
      const { name, hash, saltBytes: saltLength } = schemeOf(key)
      const how = { name, saltLength, ...(hash === undefined ? {} : { hash }) }
      return crypto.subtle.verify(how, key, Uint8Array.from(signature), utf8.encode(text))
    },
    async verifyEd25519({ publicKey, message, signature }) {
      if (publicKey.length !== 32 || signature.length !== 64) return false
      // Before the check: some implementations refuse to import 32 bytes that are no point.
      const key = await crypto.subtle
        .importKey('raw', Uint8Array.from(publicKey), 'Ed25519', false, ['verify'])
        .catch(() => undefined)
      if (key === undefined) return false
      return crypto.subtle.verify('Ed25519', key, Uint8Array.from(signature), Uint8Array.from(message))
    },
    random: (bytes) => base64url(randomBytes(bytes)),
    async derive(secret, { salt, iterations, keylen }) {
      const key = await crypto.subtle.importKey('raw', utf8.encode(secret), 'PBKDF2', false, ['deriveBits'])
      const how = { name: 'PBKDF2', hash: 'SHA-256', salt: utf8.encode(salt), iterations }
      return new Uint8Array(await crypto.subtle.deriveBits(how, key, keylen * 8))
    },
  }
}

/** The runtime's clock and timers, which every one of them has. */
function systemClock(): Clock {
  return {
    now: () => Date.now(),
    every(everyMs, tick) {
      const timer = setInterval(tick, everyMs)
      // Timers are objects in Node, Deno and Bun, where they would keep the process alive, and numbers in browsers.
      if (typeof timer === 'object') timer.unref()
      return () => clearInterval(timer)
    },
  }
}

/** Web Crypto refuses an empty HMAC key; RFC 2104 pads keys with zeros, so one zero byte is the same key. */
function padded(key: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return key.length === 0 ? new Uint8Array(1) : key
}

/** `getRandomValues` fills at most 65,536 bytes a call. */
function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

/** `btoa` takes characters, one for each byte. No spread: it would put every byte on the stack. */
function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
