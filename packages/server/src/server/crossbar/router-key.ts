/**
 * `x_router_key`: the key by which clients of cryptosign know this router. They send a challenge of their own, and get it
 * back signed (WAMP, advanced profile, "Cryptosign-based Authentication").
 */
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { MisuseError } from 'countersign'
import { ed25519Signer, type Ed25519Signer } from 'countersign/platform/node'
import type { RouterKeyNode } from './auth-node.ts'
import { secretText } from './environment.ts'
import { below, complain, optional, type Reader, type Spot } from './reader.ts'

const seed = /^[0-9a-f]{64}$/i
/** The seed alone, or as Crossbar.io and Autobahn write it, among other lines that have names. */
const seedInFile = /^(?:private-key-ed25519:)?[ \t]*([0-9a-f]{64})[ \t\r]*$/im
const maxFileBytes = 65_536

/** 64 hex digits, a file, or `${NAME}` for either. */
const routerKey: Reader<RouterKeyNode> = (spot) => {
  const written = secretText(spot)
  if (seed.test(written)) return { kind: 'seed', hex: written.toLowerCase() }
  if (written.includes('\0')) complain(spot, 'is no name of a file')
  return { kind: 'file', file: resolve(spot.reading.folder, written) }
}

/** Reads the key of a method: of its block, or of one block of its list. */
export function routerKeyOf(spot: Spot): RouterKeyNode | undefined {
  const blocks = Array.isArray(spot.value) ? spot.value.map((_, index) => below(spot, index)) : [spot]
  let found: RouterKeyNode | undefined
  for (const block of blocks) {
    const at = below(block, 'x_router_key')
    const key = optional(routerKey, undefined)(at)
    if (key !== undefined && found !== undefined) complain(at, 'is there twice: a router has one key')
    found ??= key
  }
  return found
}

/** Makes the signer. @throws MisuseError for a file that is missing, open to others, or holds no key */
export function routerSigner(key: RouterKeyNode): Ed25519Signer {
  return ed25519Signer(Buffer.from(key.kind === 'seed' ? key.hex : seedOf(key.file), 'hex'))
}

function seedOf(file: string): string {
  const text = textOf(file)
  const found = seedInFile.exec(text)?.[1]
  if (found === undefined) throw wrong(file, 'holds no key: 64 hex digits, or private-key-ed25519: and these')
  return found
}

function textOf(file: string): string {
  const facts = statSync(file, { throwIfNoEntry: false })
  if (facts === undefined || !facts.isFile() || facts.size > maxFileBytes) {
    throw wrong(file, 'there is no such file of a key')
  }
  if (process.platform !== 'win32' && (facts.mode & 0o077) !== 0) {
    throw wrong(file, 'can be read by others: chmod 600 it')
  }
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw wrong(file, 'cannot be read')
  }
}

function wrong(file: string, message: string): MisuseError {
  return new MisuseError('invalid_option', `auth.cryptosign.x_router_key: ${file}: ${message}`)
}
