import type { Html } from '../../server/pages/html.ts'

/** JSON for a data block (`<script type="application/json">`): nothing in it can end the element or begin a comment. */
export function jsonBlock(value: unknown): Html {
  return { html: JSON.stringify(value).replaceAll('<', '\\u003c') }
}
