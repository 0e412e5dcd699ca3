/** The router that foreign clients visit: every method, users with known secrets. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { wampHello } from '../../packages/countersign/src/index.ts'
import {
  cryptosign,
  cryptosignPrincipals,
  scram,
  scramPrincipals,
} from '../../packages/countersign/src/methods/index.ts'
import { scramKeys } from '../../packages/countersign/src/platform/scram-keys.ts'
import { startSite, usualMethods, type Site, type SiteOptions } from '../countersign/adapters/wamp-site.ts'

/** Seed of ann's Ed25519 key. */
export const seed: string = '6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b'

/** How one method is used by a client. */
export interface Way {
  /** `undefined`: the client names none. */
  readonly method: string | undefined
  readonly authid: string | undefined
  readonly authrole: string
  readonly secret: string
}

/** Every way in, by what it shows. */
export const ways: Readonly<Record<string, Way>> = {
  nothing: { method: undefined, authid: undefined, authrole: 'anonymous', secret: '' },
  anonymous: { method: 'anonymous', authid: undefined, authrole: 'anonymous', secret: '' },
  ticket: { method: 'ticket', authid: 'joe', authrole: 'frontend', secret: 'joe ticket' },
  wampcra: { method: 'wampcra', authid: 'joe', authrole: 'frontend', secret: 'secret2' },
  'salted wampcra': { method: 'wampcra', authid: 'peter', authrole: 'frontend', secret: 'secret1' },
  cryptosign: { method: 'cryptosign', authid: 'ann', authrole: 'frontend', secret: seed },
  scram: { method: 'scram', authid: 'foobar@example.com', authrole: 'frontend', secret: 'secret123' },
}

/** Starts the router; close it. */
export async function startForGuests(options: SiteOptions = {}): Promise<Site> {
  // Autobahn's dialect; cheap, since only its form is tested.
  const keys = await scramKeys(ways['scram']?.secret ?? '', {
    kdf: 'argon2id-13',
    iterations: 4,
    memory: 512,
  })
  return startSite({
    accept: [
      ...usualMethods(),
      cryptosign({
        from: wampHello(),
        sources: [cryptosignPrincipals({ ann: { authorized_keys: [publicKeyOf(seed)], role: 'frontend' } })],
      }),
      scram({
        from: wampHello(),
        sources: [scramPrincipals({ 'foobar@example.com': { ...keys, role: 'frontend' } })],
      }),
    ],
    ...options,
  })
}

/** The public half of a seed (RFC 8410 §7). */
export function publicKeyOf(seedHex: string): string {
  const key = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    Buffer.from(seedHex, 'hex'),
  ])
  const pair = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  return createPublicKey(pair).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')
}
