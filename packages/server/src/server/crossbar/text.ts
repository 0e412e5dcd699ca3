/** The text of a node configuration as plain values: JSON or YAML, bounded, every key once. */
import { extname } from 'node:path'
import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
} from 'yaml'
import { placesIn, type Finding, type KeyPath, type Places } from '../config-issues.ts'

/** What became of a text. */
export type TextReading =
  | { readonly kind: 'values'; readonly values: unknown; readonly places: Places }
  | { readonly kind: 'unreadable'; readonly findings: readonly Finding[]; readonly places: Places }

/** Longest text that is looked at, bytes. */
export const maxConfigBytes = 4_194_304
/** How deep collections may stand in each other. */
const maxDepth = 64
/** How often anchors may be repeated by aliases, in all. */
const maxAliases = 100

const deep = 'is nested too deeply'
const tagged = 'has a tag (!): only plain values are read'
const nowhere: Places = { lineOf: () => 1 }

/** Tags that say no more than the form of a value says. */
const plainTags: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((kind) => `tag:yaml.org,2002:${kind}`),
)

/**
 * Reads a text. Files called `.json` are JSON, `.yaml` and `.yml` YAML; of other names the text decides:
 * what begins with `{` is JSON. Both are read to a document that knows its lines.
 */
export function readText(text: string, file: string): TextReading {
  if (Buffer.byteLength(text) > maxConfigBytes) return unreadable('is over 4 MiB: no configuration')
  if (isJson(text, file) && !parsesAsJson(text)) return unreadable('cannot be read as JSON')
  if (nestsTooDeep(text)) return unreadable(deep)
  const lines = new LineCounter()
  const document = documentOf(text, lines)
  if (document === undefined) return unreadable(deep)
  const places = placesIn(document, lines)
  const findings = [...syntaxFindings(document), ...structureFindings(document)]
  if (findings.length > 0) return { kind: 'unreadable', findings, places }
  const values = valuesOf(document)
  return values === undefined
    ? unreadable('repeats too much by aliases (&, *)')
    : { kind: 'values', values: values.plain, places }
}

function unreadable(message: string): TextReading {
  return { kind: 'unreadable', findings: [{ level: 'error', path: [], message }], places: nowhere }
}

/** By the extension, else by the first character. */
function isJson(text: string, file: string): boolean {
  const extension = extname(file).toLowerCase()
  if (extension === '.json') return true
  return extension !== '.yaml' && extension !== '.yml' && text.trimStart().startsWith('{')
}

/** JSON is stricter than YAML: what ends in `.json` has to be readable by everyone else, too. */
function parsesAsJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/**
 * A cheap look at depth before a parser recurses into it: brackets that open and do not close, and lines that begin
 * with very many blanks and dashes. Brackets in texts are counted as well, hence the wide margin.
 */
function nestsTooDeep(text: string): boolean {
  let depth = 0
  let indent = 0
  let inIndent = true
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index)
    if (character === '\n') [inIndent, indent] = [true, 0]
    else if (inIndent && ' -?:\t'.includes(character)) indent += 1
    else inIndent = false
    if (character === '[' || character === '{') depth += 1
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1)
    if (depth > maxDepth * 4 || indent > maxDepth * 8) return true
  }
  return false
}

/** `undefined` for a text that nests deeper than the parser can follow. */
function documentOf(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    // Keys are compared below: the parser compares each with all before it.
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, stringKeys: true })
  } catch {
    return undefined
  }
}

/** What the parser says, without the text that it says it about. */
function syntaxFindings(document: Document.Parsed): readonly Finding[] {
  const told = [...document.errors, ...document.warnings]
  return told.slice(0, 10).map(({ code }) => ({
    level: 'error',
    path: [],
    message:
      code === 'TAG_RESOLVE_FAILED'
        ? tagged
        : `cannot be read as YAML: ${code.toLowerCase().replaceAll('_', ' ')}`,
  }))
}

/** Keys that stand twice, tags, depth, and aliases within what they repeat. */
function structureFindings(document: Document.Parsed): readonly Finding[] {
  const findings: Finding[] = []
  visit(document, {
    Node(_, node, ancestors) {
      const found = nodeFinding(node, ancestors)
      if (found === undefined) return undefined
      const path = found.message === deep ? [] : [...pathOf(node, ancestors), ...found.within]
      findings.push({ level: 'error', path, message: found.message })
      return findings.length < 10 && found.message !== deep ? undefined : visit.BREAK
    },
  })
  return findings
}

/** The first thing that is wrong with a node, and where within it. */
function nodeFinding(
  node: Node,
  ancestors: readonly unknown[],
): { readonly within: KeyPath; readonly message: string } | undefined {
  const ownTag = isAlias(node) ? undefined : node.tag
  if (ownTag !== undefined && !plainTags.has(ownTag)) return { within: [], message: tagged }
  const twice = isMap(node) ? keyThatStandsTwice(node) : undefined
  if (twice !== undefined) return { within: [twice], message: 'stands twice' }
  if (isAlias(node) && holdsItself(node.source, ancestors)) {
    return { within: [], message: 'is an alias of what it stands in' }
  }
  // A pair stands between a mapping and its values, so that levels are half of the way at most.
  return ancestors.length > maxDepth && ancestors.filter((one) => isCollection(one)).length > maxDepth
    ? { within: [], message: deep }
    : undefined
}

/** Of two members with one key readers disagree which counts, so that neither does. */
function keyThatStandsTwice(node: {
  readonly items: readonly { readonly key: unknown }[]
}): string | undefined {
  const seen = new Set<string>()
  for (const { key } of node.items) {
    const name = isScalar(key) ? String(key.value) : ''
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

/** Whether an alias repeats a collection that it is a part of. */
function holdsItself(anchor: string, ancestors: readonly unknown[]): boolean {
  return ancestors.some((one) => isCollection(one) && one.anchor === anchor)
}

/** Members and indices on the way to a node. */
function pathOf(node: Node, ancestors: readonly unknown[]): KeyPath {
  const way = [...ancestors, node]
  return way.flatMap((one, index): KeyPath => {
    const next = way[index + 1]
    if (isMap(one)) return keyOf(next)
    return isSeq(one) && next !== undefined ? [one.items.indexOf(next)] : []
  })
}

function keyOf(pair: unknown): KeyPath {
  const key: unknown = typeof pair === 'object' && pair !== null && 'key' in pair ? pair.key : undefined
  return isScalar(key) ? [String(key.value)] : []
}

/** Plain values; `undefined` for aliases that would blow up. */
function valuesOf(document: Document.Parsed): { readonly plain: unknown } | undefined {
  try {
    const plain: unknown = document.toJS({ maxAliasCount: maxAliases })
    return { plain }
  } catch {
    return undefined
  }
}
