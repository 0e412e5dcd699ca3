/** Text found in a place, as a credential. */
import type { Search } from '../core/carrier.ts'
import type { Credential } from '../core/credential.ts'

/** Wraps a found text; absence and malformation pass through. */
export function tokenFound(search: Search<string>): Search<Credential> {
  if (search.kind !== 'found') return search
  return { kind: 'found', value: { kind: 'token', text: search.value, form: 'bare' } }
}
