/** Text that is HTML already. */
export interface Html {
  readonly kind: 'html'
  readonly text: string
}

/** What may stand in a template: text is escaped, HTML is not, lists are joined. */
export type Part = string | number | Html | readonly Html[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Makes text safe between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char)
}

/** Template tag: html`<p>${text}</p>`. Attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { kind: 'html', text: strings.map((text, at) => text + partText(parts[at])).join('') }
}

function partText(part: Part | undefined): string {
  if (part === undefined) return ''
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part))
  return 'kind' in part ? part.text : part.map(({ text }) => text).join('\n')
}

/** JSON for a data block (`<script type="application/json">`): nothing in it can end the element or begin a comment. */
export function jsonBlock(value: unknown): Html {
  return { kind: 'html', text: JSON.stringify(value).replaceAll('<', '\\u003c') }
}
