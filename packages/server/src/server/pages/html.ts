/** HTML as values: a template whose every hole is escaped unless it is HTML already. */

/** Text that is HTML. Made by `html` alone. */
export interface Html {
  readonly html: string
}

/** What may stand in a hole: text and numbers are escaped, HTML is kept, lists are joined, `undefined` is nothing. */
export type Hole = string | number | Html | undefined | readonly Hole[]

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Builds HTML. Holes are safe in text and in quoted attribute values, and nowhere else. */
export function html(parts: TemplateStringsArray, ...holes: readonly Hole[]): Html {
  return { html: parts.map((part, at) => part + (at < holes.length ? fill(holes[at]) : '')).join('') }
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => escapes[char] ?? char)
}

function fill(hole: Hole): string {
  if (hole === undefined) return ''
  if (typeof hole === 'string') return escapeHtml(hole)
  if (typeof hole === 'number') return String(hole)
  return isList(hole) ? hole.map(fill).join('') : hole.html
}

function isList(hole: Hole): hole is readonly Hole[] {
  return Array.isArray(hole)
}
