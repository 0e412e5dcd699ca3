/** Certificates for machines and for the lab: a small authority, and what it signs. ECDSA P-256, SHA-256. */
import 'reflect-metadata'
import { createHash, KeyObject, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** A certificate and its private key, both PEM. */
export interface KeyPairPem {
  readonly certificate: string
  readonly privateKey: string
  /** SHA-256 of the DER encoding, lower-case hex. */
  readonly fingerprint: string
}

/** An authority that can sign. */
export interface Authority extends KeyPairPem {
  /** Makes a key pair and signs its certificate. The private key leaves in the answer and is kept nowhere. */
  issue(request: CertificateRequest): Promise<KeyPairPem>
}

/** What to put into a certificate. */
export interface CertificateRequest {
  readonly use: 'server' | 'client'
  readonly commonName: string
  /** DNS names and addresses of a server. */
  readonly hosts?: readonly string[]
  /** How long it is valid from now on, days. */
  readonly days: number
  /** Days by which the validity starts in the past; more than `days` makes an expired certificate. @default 0 */
  readonly startedDaysAgo?: number
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 86_400_000
/** Clocks differ: certificates begin a little before they are made. */
const skewMs = 5 * 60_000

x509.cryptoProvider.set(webcrypto)

/** Makes a new authority. Whoever holds its private key can become anyone whom a server maps by subject. */
export async function createAuthority(commonName: string, days: number): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: nameOf(commonName),
    keys,
    signingAlgorithm: algorithm,
    ...validity(days, 0),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return authorityOf(certificate, keys.privateKey)
}

/** Reads an authority back from its PEM files. @throws when they are not a certificate and its key */
export async function openAuthority(pem: {
  readonly certificate: string
  readonly privateKey: string
}): Promise<Authority> {
  const der = x509.PemConverter.decode(pem.privateKey)[0]
  if (der === undefined) throw new TypeError('no private key in the PEM text')
  const key = await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign'])
  return authorityOf(new x509.X509Certificate(pem.certificate), key)
}

function authorityOf(authority: x509.X509Certificate, privateKey: webcrypto.CryptoKey): Authority {
  return { ...pemOf(authority, privateKey), issue: (request) => issue({ authority, privateKey }, request) }
}

async function issue(
  by: { readonly authority: x509.X509Certificate; readonly privateKey: webcrypto.CryptoKey },
  request: CertificateRequest,
): Promise<KeyPairPem> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const usage = request.use === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth
  const certificate = await x509.X509CertificateGenerator.create({
    subject: nameOf(request.commonName),
    issuer: by.authority.subject,
    publicKey: keys.publicKey,
    signingKey: by.privateKey,
    signingAlgorithm: algorithm,
    ...validity(request.days, request.startedDaysAgo ?? 0),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(by.authority.publicKey),
      ...(request.hosts === undefined
        ? []
        : [new x509.SubjectAlternativeNameExtension(request.hosts.map(nameEntry))]),
    ],
  })
  return pemOf(certificate, keys.privateKey)
}

/** By the machine's own clock: whoever verifies has another. */
function validity(
  days: number,
  startedDaysAgo: number,
): { readonly notBefore: Date; readonly notAfter: Date } {
  const start = Date.now() - skewMs - startedDaysAgo * dayMs
  return { notBefore: new Date(start), notAfter: new Date(start + skewMs + days * dayMs) }
}

function nameOf(commonName: string): x509.JsonName {
  return [{ CN: [commonName] }]
}

/**
 * RFC 5280 §4.2.1.6: addresses and names are entries of different kinds, and clients compare like with like.
 */
function nameEntry(host: string): x509.JsonGeneralName {
  return { type: /^[\d.]+$|:/.test(host) ? 'ip' : 'dns', value: host }
}

/** PKCS #8, unencrypted: whoever writes it to disk sees to the mode of the file. */
function pemOf(certificate: x509.X509Certificate, key: webcrypto.CryptoKey): KeyPairPem {
  return {
    certificate: `${certificate.toString('pem')}\n`,
    privateKey: KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex'),
  }
}
