/** Certificates of endpoints: read, tried, and handed to servers. */
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { MisuseError } from 'countersign'
import type { TlsNode } from './node.ts'

/** What a server of TLS is made of. */
export interface TlsFiles extends SecureContextOptions {
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
}

/**
 * Reads the files of an endpoint. With `ca_certificates` every client must show a certificate that one of them signed.
 * @throws MisuseError naming the file that cannot be read; or the first one, when they do not fit together
 */
export function readTls(node: TlsNode): TlsFiles {
  const { key, certificate, chainCertificates, caCertificates, ciphers, dhparam } = node
  const files: TlsFiles = {
    key: read(key),
    cert: [read(certificate), ...chainCertificates.map(read)].join('\n'),
    minVersion: 'TLSv1.2',
    requestCert: caCertificates.length > 0,
    rejectUnauthorized: caCertificates.length > 0,
    ...(caCertificates.length === 0 ? {} : { ca: caCertificates.map(read) }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(dhparam === undefined ? {} : { dhparam: read(dhparam) }),
  }
  try {
    createSecureContext(files)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new MisuseError(
      'invalid_option',
      `${certificate}: certificate, key and ciphers do not work together (${code})`,
    )
  }
  return files
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new MisuseError('invalid_option', `${file}: cannot be read (${code})`)
  }
}
