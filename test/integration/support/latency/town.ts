/** Everything that the doors stand on: records in a file, accounts, keys, certificates, the site with its logout. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createGuard,
  query,
  type Guard,
  type GuardOptions,
  type PasswordHasher,
  type Records,
} from 'countersign'
import { localJwks, ticket, type KeySource } from 'countersign/methods'
import { argon2Passwords, nodePlatform, sealer } from 'countersign/platform/node'
import { sqlite } from 'countersign/stores/sqlite'
import type { FastifyInstance } from 'fastify'
import {
  createAuthority,
  type Authority,
  type KeyPairPem,
} from '../../../../packages/server/src/server/certificates.ts'
import type { AccountTools } from '../../../../packages/server/src/server/accounts.ts'
import { cookieNames } from '../../../../packages/server/src/server/cookies.ts'
import { createLog } from '../../../../packages/server/src/server/log.ts'
import { createSite } from '../../../../packages/server/src/server/site.ts'
import { pageOrigin } from '../../../countersign/support/guard.ts'
import type { Tls } from './place.ts'

/** The password of every account, hashed once and cheaply: logging in is not what is measured. */
export const password = 'a long enough one'

/** How long a short lease lasts, ms. */
export const shortMs = 500

/** Everyone is granted these; the second is taken away by the trigger of roles. */
export const roles = ['user', 'moderator'] as const

/** How many issuers of tokens are believed: each ends once. */
const issuers = 2_000
const host = 'localhost:8000'

/** Somebody with an account and a login of their own. */
export interface Person {
  readonly subject: string
  /** Login session: its secret, and the identifier that marks name it by. */
  readonly session: { readonly secret: string; readonly id: string }
  /** Their API key, where they come by one. */
  readonly apiKey: { readonly key: string; readonly id: string }
  /** `iss` of their tokens, which nobody else has. */
  readonly issuer: string
  /** A challenge secret that no login has to do with, where they come by one. */
  readonly secret: { readonly authid: string; readonly secret: string }
}

/** What the doors share. */
export interface Town {
  readonly records: Records
  readonly passwords: PasswordHasher
  readonly accounts: AccountTools
  /** Issues for the whole town: a guard over its records. */
  readonly issuer: Guard
  readonly tls: Exclude<Tls, undefined>
  readonly ca: string
  /** Issuers of tokens that are believed, and their keys. */
  readonly issuers: readonly string[]
  readonly keys: KeySource
  /** @param needs what they come by; nothing else is made for them */
  person(needs: readonly ('apiKey' | 'secret')[]): Promise<Person>
  certificateOf(person: Person): Promise<KeyPairPem>
  /** A token of this person's issuer, for one audience. */
  tokenOf(person: Person, audience: string): string
  /** `POST /logout` of the site, as the page of this login. @returns its status */
  logOut(person: Person): Promise<number>
  guard(options: Pick<GuardOptions, 'accept' | 'audience'>, short: boolean): Guard
  close(): Promise<void>
}

/** Founds a town in an empty folder. */
export async function foundTown(): Promise<Town> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-latency-'))
  const records = sqlite(join(folder, 'countersign.db'), {
    sealer: sealer([{ id: 'one', key: randomBytes(32) }]),
  })
  const passwords = argon2Passwords()
  const cheapHash = await argon2Passwords({ memoryKiB: 1_024, passes: 1 }).hash(password)
  const guardOf = (
    options: Pick<GuardOptions, 'accept' | 'audience'>,
    limits: GuardOptions['limits'],
  ): Guard =>
    createGuard({ ...options, records, passwords, origins: [pageOrigin], limits: { jitter: 0, ...limits } })
  const issuer = guardOf({ audience: 'town', accept: [ticket({ from: query('ticket') })] }, {})
  const site = await openSite({ records, passwords, issuer })
  const authority = await createAuthority('Latency authority', 1)
  const signer = tokenSigner()
  return {
    records,
    passwords,
    issuer,
    accounts: { records, passwords, clock: { now: () => Date.now() }, guard: issuer },
    tls: await listenerTls(authority),
    ca: authority.certificate,
    issuers: Array.from({ length: issuers }, (_, index) => issuerOf(index)),
    keys: signer.keys,
    person: persons({ records, issuer, passwordHash: cheapHash }),
    certificateOf: ({ subject }) => authority.issue({ use: 'client', commonName: subject, days: 1 }),
    tokenOf: signer.tokenOf,
    logOut: (person) => logOut(site, person),
    guard: (options, short) => guardOf(options, short ? { maxLeaseMs: shortMs } : {}),
    async close() {
      await site.close()
      issuer.close()
      await records.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function issuerOf(index: number): string {
  return `https://id-${index}.example.com`
}

/** What nobody is let in by. */
const none = { key: '', id: '', authid: '', secret: '' } as const

/** Makes people, each with an account. */
function persons(parts: {
  readonly records: Records
  readonly issuer: Guard
  readonly passwordHash: string
}): Town['person'] {
  const { records, issuer, passwordHash } = parts
  let count = 0
  return async (needs) => {
    const index = count++
    const subject = `person-${index}`
    const whom = { subject, roles }
    const changedAtMs = Date.now()
    await records.putAccount({ username: subject, roles, passwordHash, disabled: false, changedAtMs })
    const session = await issuer.issue.session(whom)
    const apiKey = needs.includes('apiKey') ? await issuer.issue.apiKey({ ...whom, name: subject }) : none
    const secret = needs.includes('secret') ? await issuer.issue.challengeSecret(whom) : none
    return {
      subject,
      session: { secret: session.session, id: session.id },
      apiKey,
      issuer: issuerOf(index % issuers),
      secret,
    }
  }
}

function tokenSigner(): { readonly keys: KeySource; readonly tokenOf: Town['tokenOf'] } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const jwk = { ...publicKey.export({ format: 'jwk' }), alg: 'EdDSA', use: 'sig', kid: 'one' }
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    keys: localJwks({ keys: [jwk] }),
    tokenOf(person, audience) {
      const iat = Math.floor(Date.now() / 1_000)
      const { issuer: iss, subject: sub, session } = person
      const claims = { iss, sub, sid: session.id, aud: audience, roles, iat, exp: iat + 600 }
      const input = `${part({ alg: 'EdDSA', kid: 'one' })}.${part(claims)}`
      return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`
    },
  }
}

/** Certificates are asked for, not demanded, as at the lab's door for them. */
async function listenerTls(authority: Authority): Promise<Exclude<Tls, undefined>> {
  const { certificate, privateKey } = await authority.issue({
    use: 'server',
    commonName: 'localhost',
    hosts: ['localhost'],
    days: 1,
  })
  const ca = [authority.certificate]
  return { cert: certificate, key: privateKey, ca, requestCert: true, rejectUnauthorized: false }
}

/** The program's own site, on a listener of its own. */
async function openSite(parts: {
  readonly records: Records
  readonly passwords: PasswordHasher
  readonly issuer: Guard
}): Promise<FastifyInstance> {
  const app = await createSite({
    ...parts,
    guards: () => [parts.issuer],
    doors: new Map(),
    platform: nodePlatform(),
    origins: [pageOrigin],
    hosts: [host],
    secure: false,
    journal: { record: () => undefined },
    log: createLog({ level: 'silent' }),
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app
}

/** What a page sends when its user logs out. */
async function logOut(site: FastifyInstance, { session }: Person): Promise<number> {
  const { port } = site.server.address() as AddressInfo // it listens on TCP
  const cookie = `${cookieNames(false).session}=${session.secret}`
  const headers = { host, origin: pageOrigin, cookie, 'content-type': 'application/json' }
  const asking = request({ method: 'POST', host: '127.0.0.1', port, path: '/logout', headers })
  asking.end('{}')
  const [answer] = await once(asking, 'response')
  answer.resume()
  return answer.statusCode
}
