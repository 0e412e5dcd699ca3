/** Text of a target as reports may show it. */

/** What a terminal, a page or a reader of XML must not be given: controls, and what turns text around or hides in it. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** One line without control characters, for a terminal. */
export function printableLine(text: string): string {
  return text.replaceAll(unprintable, '?')
}

/** Several lines without control characters but tabs and the ends of lines, for pages and XML. */
export function printableText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(unprintable, (one) => (one === '\n' || one === '\t' ? one : '\ufffd'))
}

/** The beginning of a text of at most that many units, never half a character; a dot says that something is missing. */
export function cutText(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** JSON that holds no control character, so that it may be printed to a terminal, too. */
export function printableJson(value: object, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(unprintable, (one) =>
    one === '\n' ? one : escaped(one),
  )
}

/** `\uXXXX`, a pair of them beyond the first plane. */
function escaped(one: string): string {
  return Array.from({ length: one.length }, (_unit, index) => {
    return `\\u${one.charCodeAt(index).toString(16).padStart(4, '0')}`
  }).join('')
}
