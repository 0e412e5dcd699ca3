/** A command of curl, as browsers copy it: where a socket is and what was sent to open it. Nothing is executed. */
import type { Header } from '../answer.ts'

/** What a command says. */
export interface CurlTarget {
  readonly url: string
  readonly headers: readonly Header[]
  /** User and password of Basic, with a colon between. */
  readonly basic: string | undefined
}

const maxLength = 65_536
const maxWords = 400

/** Options of curl that take a value which means nothing here. */
const withValue = new Set([
  '-X',
  '--request',
  '-d',
  '--data',
  '--data-raw',
  '--data-binary',
  '-o',
  '--output',
  '-A',
  '--user-agent',
  '-e',
  '--referer',
  '-m',
  '--max-time',
  '--connect-timeout',
])

/** Reads a command. @returns `undefined` for what is no command of curl, has no URL or is beyond bounds */
export function parseCurl(text: string): CurlTarget | undefined {
  if (text.length > maxLength) return undefined
  const words = shellWords(text)
  if (words === undefined || words.length > maxWords || words[0] !== 'curl') return undefined
  const headers: Header[] = []
  let url: string | undefined
  let basic: string | undefined
  for (let at = 1; at < words.length; at++) {
    const word = words[at] ?? ''
    const value = words[at + 1] ?? ''
    if (word === '-H' || word === '--header') {
      const colon = value.indexOf(':')
      if (colon > 0) headers.push([value.slice(0, colon).trim(), value.slice(colon + 1).trim()])
      at += 1
    } else if (word === '-b' || word === '--cookie') {
      headers.push(['Cookie', value])
      at += 1
    } else if (word === '-u' || word === '--user') {
      basic = value
      at += 1
    } else if (word === '--url') {
      url ??= value
      at += 1
    } else if (withValue.has(word)) at += 1
    else if (!word.startsWith('-')) url ??= word
  }
  return url === undefined ? undefined : { url, headers, basic }
}

/** Words of a POSIX shell without expansions: quotes, `$'…'`, backslashes, lines that go on. */
function shellWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? ''
    if (char === '\\') {
      at += 1
      const next = text[at] ?? ''
      if (next !== '\n') word = (word ?? '') + next
    } else if (char === "'" || (char === '$' && text[at + 1] === "'")) {
      const ansi = char === '$'
      const start = ansi ? at + 2 : at + 1
      const end = endOfQuote(text, start, ansi ? "\\'" : "'")
      if (end === undefined) return undefined
      const inside = text.slice(start, end)
      word = (word ?? '') + (ansi ? unescapeAnsi(inside) : inside)
      at = end
    } else if (char === '"') {
      const end = endOfQuote(text, at + 1, '\\"')
      if (end === undefined) return undefined
      word = (word ?? '') + text.slice(at + 1, end).replaceAll(/\\(["\\$`])/g, '$1')
      at = end
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  return word === undefined ? words : [...words, word]
}

/** Where a quotation ends; with two characters the first of them escapes the second. */
function endOfQuote(text: string, start: number, marks: "'" | "\\'" | '\\"'): number | undefined {
  const quote = marks.at(-1)
  for (let at = start; at < text.length; at++) {
    if (marks.length === 2 && text[at] === '\\') at += 1
    else if (text[at] === quote) return at
  }
  return undefined
}

const ansiEscapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

function unescapeAnsi(text: string): string {
  return text.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs,
    (all: string, unicode, hex, char) => {
      const code: unknown = unicode ?? hex
      if (typeof code === 'string') return String.fromCharCode(Number.parseInt(code, 16))
      return ansiEscapes[String(char)] ?? all
    },
  )
}
