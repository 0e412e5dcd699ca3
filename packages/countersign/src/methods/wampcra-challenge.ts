/** The text that a client of WAMP-CRA signs. */
import { random } from '../core/ask.ts'
import type { HelloCredential } from '../core/credential.ts'
import type { Talk } from '../core/drive.ts'

/** The members and their order are those of the WAMP specification; role and provider say nothing about the user. */
export function* challengeText({ join }: HelloCredential, authid: string, now: number): Talk<string> {
  const nonce = yield* random(24)
  const session = join?.session ?? sessionNumber(yield* random(8))
  // The name alone can hold anything that JSON escapes.
  return `{"authid":${quoted(authid)},${saidOfAll},"nonce":"${nonce}","timestamp":"${timestamp(now)}","session":${session}}`
}

const saidOfAll = '"authrole":"user","authmethod":"wampcra","authprovider":"countersign"'

/** What most names are made of: nothing of it is escaped. */
const plainName = /^[\w.@-]*$/

function quoted(name: string): string {
  return plainName.test(name) ? `"${name}"` : JSON.stringify(name)
}

/** The last second that a challenge was made in, and its text up to the milliseconds: many challenges share one. */
let lastSecond = NaN
let lastText = ''

/** ISO 8601, as `toISOString` writes it, which takes longer than all the rest of a challenge. */
function timestamp(now: number): string {
  const whole = Math.trunc(now)
  const second = Math.floor(whole / 1_000)
  if (second !== lastSecond) {
    lastText = new Date(second * 1_000).toISOString().slice(0, -4)
    lastSecond = second
  }
  return `${lastText}${String(whole - second * 1_000).padStart(3, '0')}Z`
}

const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** A WAMP id: uniform in [1, 2^53], out of nine base64url characters. */
function sessionNumber(entropy: string): number {
  let number = base64url.indexOf(entropy.charAt(8)) & 31
  for (let at = 0; at < 8; at++) number = number * 64 + base64url.indexOf(entropy.charAt(at))
  return number + 1
}
