/** Extends a lease that a case holds open, over HTTP or on its own socket, and tells how that went. */
import type { Step } from './case.ts'
import type { Credential } from './credential.ts'
import { refreshGuest, renewGuest, type Guest } from './guest.ts'
import type { Line } from './inbox.ts'
import { renewInBand } from './renew.ts'
import type { Witness } from './site.ts'

type Extension = Extract<Step, { kind: 'refresh' | 'renew' }>

/** Whose lease it is, and where. */
export interface Extended {
  readonly guest: Guest
  /** The open socket; `undefined` where this page holds none. */
  readonly line: Line | undefined
  readonly witness: Witness
}

/** How it went. */
export interface Extending {
  /** Why the case makes no sense any more; empty when it does. */
  readonly odd: string
  readonly note: string
  /** When the lease ends now, by this page's clock, ms; `undefined`: when it would have ended. */
  readonly endsAtMs: number | undefined
}

/** Extends it. @throws Error when the lab refuses what the case needs for that */
export async function extend(step: Extension, at: Extended): Promise<Extending> {
  return step.kind === 'renew' ? renew(step, at) : refresh(step, at)
}

async function refresh(
  { lifeMs, granted }: Extract<Extension, { kind: 'refresh' }>,
  { guest, witness }: Extended,
): Promise<Extending> {
  const askedAtMs = Date.now()
  const answer = await refreshGuest(guest, lifeMs, witness)
  if (typeof answer === 'string') {
    const odd = granted ? `refresh refused: ${answer}` : ''
    return { odd, note: `The refresh was refused: ${answer}.`, endsAtMs: undefined }
  }
  const note = `Refreshed ${when(guest, askedAtMs)}.`
  return { odd: granted ? '' : 'it was refreshed', note, endsAtMs: answer }
}

async function renew(
  { at, lifeMs }: Extract<Extension, { kind: 'renew' }>,
  { guest, line, witness }: Extended,
): Promise<Extending> {
  if (line === undefined) return { odd: 'this page holds no socket', note: '', endsAtMs: undefined }
  const { text = '', name } = await renewGuest(guest, lifeMs, witness)
  const credential: Credential =
    name === undefined ? { kind: 'text', text } : { kind: 'pair', username: name, secret: text }
  // What is fresh lives from now on, and so does the lease by it.
  const endsAtMs = Date.now() + lifeMs
  const patienceMs = guest.firstEndMs + guest.graceMs - Date.now()
  const refused = await renewInBand(line, { at, credential, patienceMs })
  if (refused !== undefined) return { odd: `not renewed: ${refused}`, note: '', endsAtMs: undefined }
  return { odd: '', note: `Renewed in band ${when(guest, Date.now())}.`, endsAtMs }
}

function when({ firstEndMs }: Guest, atMs: number): string {
  const leftMs = firstEndMs - atMs
  return `${Math.abs(leftMs)} ms ${leftMs > 0 ? 'before' : 'after'} its first end`
}
