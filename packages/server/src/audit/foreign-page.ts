/** What a page of another site gets when it opens the socket in a visitor's browser. */
import type { Need, Scene } from './check.ts'
import { ambient, isSomebody } from './needs.ts'
import type { Sight } from './oracle.ts'
import { anonymous } from './presented.ts'

/** Private data that nobody shows a credential for: whoever reaches the port is meant to, such as the developer of this machine. */
function isByPlace({ low, options }: Scene): boolean {
  return low?.ambient !== true && (options.private?.length ?? 0) > 0 && options.public !== true
}

/** Something that a foreign page could gain: the visitor's own credentials, or the visitor's place in the network. */
export const foreignGain: Need = {
  missing: `${ambient.missing}, or private data that needs none`,
  met: (scene) => ambient.met(scene) || isByPlace(scene),
}

/** One attempt of a foreign page. */
export interface ForeignSight extends Sight {
  /** Whether the page gets what is none of its business. */
  readonly gains: boolean
}

/** Opens the socket as a page with this Origin would: with what the browser adds by itself, and nothing else. */
export async function lookFromPage(scene: Scene, origins: readonly string[]): Promise<ForeignSight> {
  const { oracle, low } = scene
  const byPlace = isByPlace(scene)
  const sight = await oracle.look(byPlace || low === undefined ? anonymous : await low.present(), { origins })
  const gains = byPlace
    ? sight.view.kind === 'open' && sight.view.heard.length > 0
    : isSomebody(sight.view, scene)
  return { ...sight, gains }
}
