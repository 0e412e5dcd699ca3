/** T3: how TLS is spoken. */
import { TLSSocket } from 'node:tls'
import type { Check, Finding, Scene } from '../check.ts'
import { dial, type TlsOptions } from '../dial.ts'
import { remark } from '../exchange.ts'
import { tls } from '../needs.ts'

const dayMs = 86_400_000
const soonDays = 14

/** Without this level OpenSSL offers nothing old, and any server would seem safe. */
const lenient: TlsOptions = { rejectUnauthorized: false, ciphers: 'DEFAULT@SECLEVEL=0' }

const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const

/** Versions, chain and name. */
export const tlsQuality: Check = {
  id: 'T3',
  title: 'TLS is old, or its certificate does not hold',
  cwe: [326, 327, 295],
  asvs: ['12.1.1', '12.1.2', '12.2.1', '12.2.2'],
  safety: 'P',
  needs: [tls],
  why: 'TLS 1.0 and 1.1 are broken by design (RFC 8996). A certificate that browsers refuse teaches people to click warnings away.',
  remedy: {
    text: 'Offer TLS 1.2 and 1.3 only, with a certificate for the very name from an authority that browsers know, and renew it in time.',
    ws: "https.createServer({ key, cert, minVersion: 'TLSv1.2' })",
    socketIo: "https.createServer({ key, cert, minVersion: 'TLSv1.2' })",
    countersign: 'countersign serve speaks TLS 1.2 and 1.3 only.',
  },
  async run(scene) {
    const findings: Finding[] = []
    const spoken: string[] = []
    for (const version of versions) {
      const socket = await speak(scene, { ...lenient, minVersion: version, maxVersion: version })
      if (socket === undefined) continue
      socket.destroy()
      spoken.push(version)
    }
    for (const old of spoken.filter((version) => version === 'TLSv1' || version === 'TLSv1.1'))
      findings.push({
        says: `the target speaks ${old}`,
        severity: 'medium',
        confidence: 'high',
        subject: old,
        exchanges: [remark(`a handshake that offers ${old} and nothing else is completed`)],
      })
    findings.push(...(await certificateFindings(scene)))
    if (findings.length > 0) return { kind: 'fail', findings }
    return { kind: 'pass', says: `speaks ${spoken.join(' and ')}, with a certificate that holds` }
  },
}

async function certificateFindings(scene: Scene): Promise<readonly Finding[]> {
  const socket = await speak(scene, { rejectUnauthorized: false })
  if (socket === undefined) return []
  const { authorized, authorizationError } = socket
  const { valid_to: validTo } = socket.getPeerCertificate()
  socket.destroy()
  const daysLeft = Math.floor((Date.parse(validTo) - Date.now()) / dayMs)
  if (!authorized)
    return [
      {
        says: `the certificate does not hold: ${String(authorizationError)}`,
        severity: 'medium',
        confidence: 'high',
        subject: 'certificate',
        exchanges: [remark(`verification by the authorities of this machine: ${String(authorizationError)}`)],
      },
    ]
  if (daysLeft >= soonDays) return []
  return [
    {
      says: `the certificate ends in ${daysLeft} days`,
      severity: 'low',
      confidence: 'high',
      subject: 'certificate end',
      exchanges: [remark(`valid until ${validTo}`)],
    },
  ]
}

async function speak({ needs, endpoint }: Scene, options: TlsOptions): Promise<TLSSocket | undefined> {
  const dialled = await dial(needs, endpoint.url, options)
  if (dialled.kind === 'failed') return undefined
  return dialled.socket instanceof TLSSocket ? dialled.socket : undefined
}
