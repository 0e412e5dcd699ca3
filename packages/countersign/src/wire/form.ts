import { hasControl, hasVisibleOnly } from './ascii.ts'
import { absent, found, malformed, type Found } from './found.ts'
import { decodePercent } from './query.ts'

/** Longest body of a form that `findFormMember` reads, in characters. */
export const maxFormLength = 32_768

/** Most members of one form. */
const maxMembers = 32

/**
 * Finds one member of a form (`application/x-www-form-urlencoded`, WHATWG URL §5.1), by its name after decoding. Strict
 * where browsers repair: broken percent-encoding, ill-formed UTF-8, raw characters outside visible ASCII and decoded control
 * characters are malformed. So is a member that stands there twice, whatever its values: two readers would take two.
 *
 * An empty value is absent.
 */
export function findFormMember(body: string, name: string): Found<string> {
  if (body.length > maxFormLength) return malformed('form too long')
  if (!hasVisibleOnly(body)) return malformed('form encoding')
  const members = body.split('&')
  if (members.length > maxMembers) return malformed('form of too many members')
  let value: string | undefined
  for (const member of members) {
    const equals = member.indexOf('=')
    const end = equals < 0 ? member.length : equals
    const called = decode(member.slice(0, end))
    if (called === undefined) return malformed('form member')
    if (called !== name) continue
    if (value !== undefined) return malformed('form member twice')
    value = decode(member.slice(end + 1))
    if (value === undefined) return malformed('form value')
  }
  return value === undefined || value === '' ? absent : found(value)
}

/** `undefined` for what no form serialiser writes. */
function decode(written: string): string | undefined {
  const text = decodePercent(written.replaceAll('+', ' '))
  return text === undefined || hasControl(text) ? undefined : text
}
