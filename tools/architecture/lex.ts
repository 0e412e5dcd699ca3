/** A source text twice, at the same offsets. */
export interface Lexed {
  /** Comments are blanks. */
  readonly code: string
  /** Comments are blanks, and so is what stands inside strings, templates and regular expressions (not their quotes). */
  readonly bare: string
}

type Region = 'code' | 'comment' | 'literal'

interface Span {
  readonly region: Region
  readonly end: number
}

/** What can stand right before a regular expression, where a division would make no sense. */
const beforeRegex = /(?:^|[(,=:[!&|?{};+\-*%<>~^\n]|\b(?:return|typeof|case|in|of|yield|await|default))\s*$/

/** Blanks comments and the insides of literals, line breaks excepted, so that rules look at code alone. */
export function lex(text: string): Lexed {
  const code: string[] = []
  const bare: string[] = []
  const braces: number[] = []
  let at = 0
  while (at < text.length) {
    const { region, end } = spanAt(text, at, { before: bare, braces })
    const piece = text.slice(at, end)
    code.push(region === 'comment' ? blank(piece) : piece)
    bare.push(region === 'code' ? piece : region === 'comment' ? blank(piece) : blankInside(piece))
    at = end
  }
  return { code: code.join(''), bare: bare.join('') }
}

interface State {
  readonly before: readonly string[]
  /** Depths of open braces, one entry for each template whose `${` is open. */
  readonly braces: number[]
}

function spanAt(text: string, at: number, state: State): Span {
  const two = text.slice(at, at + 2)
  const one = text.charAt(at)
  if (two === '//') return { region: 'comment', end: find(text, '\n', at) }
  if (two === '/*') return { region: 'comment', end: find(text, '*/', at + 2) + 2 }
  if (one === "'" || one === '"') return { region: 'literal', end: stringEnd(text, at) }
  if (one === '`') return templatePart(text, at, state)
  if (one === '}' && state.braces.at(-1) === 0) return afterSubstitution(text, at, state)
  if (one === '/' && beforeRegex.test(state.before.slice(-40).join('').slice(-40)))
    return { region: 'literal', end: regexEnd(text, at) }
  countBrace(one, state)
  return { region: 'code', end: at + 1 }
}

function countBrace(character: string, { braces }: State): void {
  const depth = braces.at(-1)
  if (depth === undefined) return
  if (character === '{') braces[braces.length - 1] = depth + 1
  if (character === '}') braces[braces.length - 1] = depth - 1
}

function afterSubstitution(text: string, at: number, state: State): Span {
  state.braces.pop()
  return templatePart(text, at, state)
}

/** The part of a template from its opening quote, or from the brace that closes a substitution, to the next of either kind. */
function templatePart(text: string, at: number, { braces }: State): Span {
  for (let end = at + 1; end < text.length; end++) {
    const character = text.charAt(end)
    if (character === '\\') end++
    else if (character === '`') return { region: 'literal', end: end + 1 }
    else if (character === '$' && text.charAt(end + 1) === '{') {
      braces.push(0)
      return { region: 'literal', end: end + 2 }
    }
  }
  return { region: 'literal', end: text.length }
}

function stringEnd(text: string, at: number): number {
  const quote = text.charAt(at)
  for (let end = at + 1; end < text.length; end++) {
    const character = text.charAt(end)
    if (character === '\\') end++
    else if (character === quote || character === '\n') return end + 1
  }
  return text.length
}

function regexEnd(text: string, at: number): number {
  let inClass = false
  for (let end = at + 1; end < text.length; end++) {
    const character = text.charAt(end)
    if (character === '\\') end++
    else if (character === '\n') return end
    else if (character === '[') inClass = true
    else if (character === ']') inClass = false
    else if (character === '/' && !inClass) return end + 1
  }
  return text.length
}

function find(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from)
  return at === -1 ? text.length : at
}

function blank(piece: string): string {
  return piece.replaceAll(/[^\n]/g, ' ')
}

function blankInside(piece: string): string {
  return piece.length < 2
    ? piece
    : piece.charAt(0) + blank(piece.slice(1, -1)) + piece.charAt(piece.length - 1)
}
