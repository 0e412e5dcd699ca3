/** Values that the application signed: `value.signature`, an HMAC in base64 without padding. */
import { createHmac, timingSafeEqual, type BinaryLike, type KeyObject } from 'node:crypto'
import { MisuseError } from '../core/errors.ts'

/** A key of signatures: text, bytes or a key object. */
export type SigningSecret = BinaryLike | KeyObject

/** Secrets as a list, the newest first. @throws MisuseError where there is none, or an empty one */
export function secretsOf(secret: SigningSecret | readonly SigningSecret[]): readonly SigningSecret[] {
  // A list is an array; bytes are not.
  const secrets = Array.isArray(secret) ? (secret as readonly SigningSecret[]) : [secret as SigningSecret]
  if (secrets.length === 0 || secrets.some((one) => one === undefined || one === null || one === ''))
    throw new MisuseError('invalid_option', 'sessions: secret is what the application signs with')
  return secrets
}

/** What was signed, if it was by one of the secrets; in the same time wherever a wrong signature differs. */
export function unsigned(
  text: string,
  secrets: readonly SigningSecret[],
  algorithm = 'sha256',
): string | undefined {
  const dot = text.lastIndexOf('.')
  if (dot < 1) return undefined
  const value = text.slice(0, dot)
  const shown = Buffer.from(text.slice(dot + 1))
  const right = secrets.some((secret) => {
    const expected = createHmac(algorithm, secret).update(value).digest('base64').replace(/=+$/, '')
    return shown.length === expected.length && timingSafeEqual(shown, Buffer.from(expected))
  })
  return right ? value : undefined
}

/** A cookie's value as the libraries read it: percent-decoded, or as it is where that is broken. */
export function decodedCookie(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
