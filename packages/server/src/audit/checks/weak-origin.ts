/** O2: the Origin is compared, but not as a whole. */
import type { Check, Finding } from '../check.ts'
import { foreignGain, lookFromPage } from '../foreign-page.ts'
import { sight } from '../needs.ts'
import { describeView } from '../oracle.ts'
import { crossSite } from './cross-site.ts'
import { originVariants } from './origin-variants.ts'

/** Weak comparison of Origin. */
export const weakOrigin: Check = {
  id: 'O2',
  title: 'Origins that only resemble the site’s own are let in',
  cwe: [1385, 625, 777],
  asvs: ['4.4.2'],
  safety: 'A',
  needs: [sight, foreignGain],
  why: 'A comparison by prefix, by suffix or by an unescaped pattern lets pages in that anybody can register: app.example.com.attacker.example begins like app.example.com.',
  remedy: {
    text: 'Parse the Origin and compare scheme, host and port as a whole with a list of literals; treat null as any other foreign origin.',
    ws: "const allowed = new Set(['https://app.example.com'])\nconst isOwn = (request) => allowed.has(request.headers.origin)",
    socketIo:
      "const allowed = new Set(['https://app.example.com'])\nnew Server(server, { allowRequest: (request, answer) => answer(null, allowed.has(request.headers.origin)) })",
    countersign: crossSite.remedy.countersign,
  },
  async run(scene) {
    const { endpoint } = scene
    const variants = originVariants(endpoint.origin)
    const findings: Finding[] = []
    const deliberate: string[] = []
    for (const group of chunks(variants, atATime)) {
      const sights = await Promise.all(group.map(({ origins }) => lookFromPage(scene, origins)))
      for (const [index, { view, exchange, gains }] of sights.entries()) {
        const variant = group[index]
        if (variant === undefined || !gains) continue
        if (variant.harmless) deliberate.push(variant.origins.join(' and '))
        else
          findings.push({
            says: `the Origin ${variant.origins.join(' and ')} (${variant.name}) is ${describeView(view)}`,
            severity: 'high',
            confidence: 'high',
            subject: variant.name,
            exchanges: [exchange],
          })
      }
    }
    // Where any origin is good, the resemblance is not the hole: that is O1.
    if (findings.length >= variants.filter(({ harmless }) => !harmless).length - tolerated)
      return { kind: 'info', says: 'no Origin at all is refused here; see O1' }
    if (findings.length > 0) return { kind: 'fail', findings }
    if (deliberate.length > 0)
      return {
        kind: 'info',
        says: `origins of the same site, or that no browser sends, are let in: ${deliberate.join(', ')}`,
      }
    return {
      kind: 'pass',
      says: `none of ${variants.length} origins that resemble ${endpoint.origin} is let in`,
    }
  },
}

const atATime = 8
/** Variants that servers refuse as malformed although they compare nothing. */
const tolerated = 6

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_one, index) =>
    all.slice(index * size, (index + 1) * size),
  )
}
