/** A name and a secret that the site has put into the page itself. */
import type { Ask } from './carrier.ts'
import type { ChallengeSecret } from './challenge.ts'
import { Unauthorized } from './errors.ts'
import { membersOf } from './frames.ts'

/** The members that are used of an element. */
export interface SecretElement {
  /** Of a script: what its content is. */
  readonly type?: string
  readonly nodeName: string
  readonly textContent: string | null
  remove(): void
}

/** The members that are used of a document. */
export interface SecretDocument {
  getElementById(id: string): SecretElement | null
}

/** Where the block is. */
export interface PageSecretOptions {
  /** Id of the element. @default `'countersign-secret'` */
  readonly id?: string
  /** @default the document that this runs in */
  readonly document?: SecretDocument
}

/**
 * Takes name and secret out of `<script type="application/json" id="countersign-secret">`, `{"authid","secret"}`, for
 * `challengeResponse`. The block is removed when this is called, so call it in the first script of the page. Where there
 * is none, and once its secret was refused, the client stops: the page has to be loaded anew.
 */
export function secretFromPage(options: PageSecretOptions = {}): (ask: Ask) => ChallengeSecret {
  // The one member that is used of it; where there is no page, there is no document.
  const { document } = { document: (globalThis as { document?: SecretDocument }).document, ...options }
  const taken = take(document?.getElementById(options.id ?? 'countersign-secret'))
  return ({ refused }) => {
    if (taken === undefined) throw new Unauthorized('the page has no secret')
    if (refused !== undefined && refused !== 'lease_expired')
      throw new Unauthorized('the secret of the page was refused')
    return taken
  }
}

/** An element of another kind that goes by the name is markup of somebody else's. */
function take(block: SecretElement | null | undefined): ChallengeSecret | undefined {
  if (block?.nodeName !== 'SCRIPT' || block.type !== 'application/json') return undefined
  const text = block.textContent ?? ''
  block.remove()
  const { authid, secret } = membersOf(text)
  const whole = typeof authid === 'string' && authid !== '' && typeof secret === 'string' && secret !== ''
  return whole ? { authid, secret } : undefined
}
