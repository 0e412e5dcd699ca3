/** Secrets at rest: sealed by AES-256-GCM under keys that are kept elsewhere. */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { MisuseError } from '../core/errors.ts'
import type { Sealer } from '../core/ports.ts'
import { readOrCreateKeyFile } from './key-file.ts'

/** A key that seals, and the name by which sealed texts remember it. */
export interface SealingKey {
  /** 1 to 64 letters, digits, `-`, `_`. */
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** Where sealing keys come from: the text if there is one, else the file. */
export interface SealingKeySource {
  /**
   * Value of `COUNTERSIGN_KEY`: 32 bytes as base64url, `id:key` where keys are rotated, several parted by commas with
   * the newest first. Empty counts as absent.
   */
  readonly env?: string | undefined
  /** A file of the same form, owner-only (0600), created with a fresh key. Keep it apart from the database's backups. */
  readonly file?: string | undefined
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const idForm = /^[A-Za-z0-9_-]{1,64}$/
const keyForm = /^[A-Za-z0-9_-]{43}$/
/** Version, key id, body; anything else was not sealed here. */
const sealedForm = /^v1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]+)$/
/** Id of a key that was given without one. */
const plainId = 'k1'

/**
 * Seals with the first key and opens with any. Text form: `v1.<key id>.<base64url of nonce, ciphertext, tag>`, the
 * nonce 96 random bits; version, key id and context are authenticated (NIST SP 800-38D).
 * @throws MisuseError without keys, for a key that is not 32 bytes, for ids that are malformed or repeated
 */
export function sealer(keys: readonly SealingKey[]): Sealer {
  const known = keyTable(keys)
  const first = known.entries().next().value
  if (first === undefined) throw new MisuseError('invalid_option', 'sealer: at least one key')
  const [id, key] = first
  return {
    seal: (text, context) => `v1.${id}.${encrypt(key, text, boundTo(id, context)).toString('base64url')}`,
    unseal(sealed, context) {
      const [, id, body] = sealedForm.exec(sealed) ?? []
      if (id === undefined || body === undefined) return undefined
      const key = known.get(id)
      const bytes = Buffer.from(body, 'base64url')
      // One text for one sealed secret: bits beyond the last byte are zero.
      if (key === undefined || bytes.toString('base64url') !== body) return undefined
      return decrypt(key, bytes, boundTo(id, context))
    },
  }
}

/**
 * Sealing keys, newest first. No message of an error ever holds a part of a key.
 * @throws MisuseError when neither source is given, a text is malformed, or the file is open to others than its owner
 */
export function sealingKeysFrom(source: SealingKeySource): readonly SealingKey[] {
  if (source.env !== undefined && source.env.trim() !== '') return parseKeys(source.env, 'COUNTERSIGN_KEY')
  if (source.file === undefined) {
    throw new MisuseError('missing_port', 'sealing key: set COUNTERSIGN_KEY or name a key file')
  }
  return parseKeys(readOrCreateKeyFile(source.file, freshKey), source.file)
}

/**
 * The guard's `decoyKey`: drawn from the oldest sealing key, so that a rotation changes the answers to unknown names
 * only when that key is given up.
 * @throws MisuseError without keys
 */
export function decoyKeyFrom(keys: readonly SealingKey[]): Uint8Array {
  return drawn(keys, 'decoyKeyFrom', 'countersign decoy key v1')
}

/**
 * The key under which device cookies are made and known again: drawn from the oldest sealing key, so that a rotation
 * makes strangers of nobody's devices until that key is given up.
 * @throws MisuseError without keys
 */
export function deviceKeyFrom(keys: readonly SealingKey[]): Uint8Array {
  return drawn(keys, 'deviceKeyFrom', 'countersign device key v1')
}

/** HKDF (RFC 5869): the purpose keeps the keys apart, and none of them tells anything of the sealing key. */
function drawn(keys: readonly SealingKey[], what: string, purpose: string): Uint8Array {
  const oldest = keys.at(-1)
  if (oldest === undefined) throw new MisuseError('invalid_option', `${what}: at least one key`)
  return new Uint8Array(hkdfSync('sha256', oldest.key, '', purpose, keyBytes))
}

/** By id, in the order given: the first one seals. */
function keyTable(keys: readonly SealingKey[]): ReadonlyMap<string, KeyObject> {
  const table = new Map<string, KeyObject>()
  for (const { id, key } of keys) {
    if (!idForm.test(id))
      throw new MisuseError('invalid_option', 'sealer: a key id is 1 to 64 of A-Z a-z 0-9 - _')
    if (table.has(id)) throw new MisuseError('invalid_option', `sealer: two keys are called ${id}`)
    if (key.length !== keyBytes)
      throw new MisuseError('invalid_option', `sealer: key ${id} is not 32 bytes long`)
    table.set(id, createSecretKey(key))
  }
  return table
}

/** A key id has no dot: the parts cannot run into each other. */
function boundTo(id: string, context: string): Buffer {
  return Buffer.from(`v1.${id}.${context}`)
}

/**
 * A fresh nonce each time: under one key 2³² texts may be sealed before two nonces are likely to meet (SP
 * 800-38D §8.3).
 */
function encrypt(key: KeyObject, text: string, context: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context)
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: KeyObject, bytes: Buffer, context: Buffer): string | undefined {
  if (bytes.length < nonceBytes + tagBytes) return undefined
  const nonce = bytes.subarray(0, nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(context)
  decipher.setAuthTag(bytes.subarray(-tagBytes))
  const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8')
  try {
    return text + decipher.final('utf8')
  } catch {
    // Node's only sign of a wrong tag: another key under this id, another context, or a changed text.
    return undefined
  }
}

/** Keys of a text, newest first. Entries are parted by commas or lines, blanks do not count. */
function parseKeys(text: string, origin: string): readonly SealingKey[] {
  const keys = text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => parseKey(entry, origin))
  keyTable(keys)
  if (keys.length === 0) throw malformed(origin)
  return keys
}

function parseKey(entry: string, origin: string): SealingKey {
  const colon = entry.indexOf(':')
  const id = colon < 0 ? plainId : entry.slice(0, colon)
  const key = entry.slice(colon + 1)
  if (!keyForm.test(key)) throw malformed(origin)
  return { id, key: new Uint8Array(Buffer.from(key, 'base64url')) }
}

function malformed(origin: string): MisuseError {
  return new MisuseError(
    'invalid_option',
    `sealing key: ${origin} must hold 32 bytes as base64url, as id:key or alone`,
  )
}

function freshKey(): string {
  return `k${randomBytes(4).toString('hex')}:${randomBytes(keyBytes).toString('base64url')}\n`
}
