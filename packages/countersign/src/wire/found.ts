/**
 * What a parser answers: the value, its absence, or a refusal. There is no fourth way out: a parser of this
 * room never throws, whatever the text.
 *
 * `why` is made of constant words and never of input, so it may be journalled; it is not meant for the peer.
 */
export type Found<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed'; readonly why: string }

/** Nothing was there to parse; the caller may look elsewhere. */
export const absent: Found<never> = Object.freeze({ kind: 'absent' })

/** The text was there and good. */
export function found<T>(value: T): Found<T> {
  return { kind: 'found', value }
}

/**
 * The text was there and is refused; the caller must not fall back to another place as if nothing had been
 * shown.
 *
 * @param why constant words, never input: a refusal must not carry a secret into a log
 */
export function malformed(why: string): Found<never> {
  return { kind: 'malformed', why }
}
