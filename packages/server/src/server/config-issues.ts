/** Turns findings about a configuration into lines that say where: `countersign.yaml:12: guards[0].origins[1]: …`. */
import { isMap, isPair, isScalar, type Document, type LineCounter, type Node } from 'yaml'
import type { z } from 'zod'

/** Members and indices that lead to a value. */
export type KeyPath = readonly (string | number)[]

/** Something to say about a place in a configuration. */
export interface Finding {
  readonly level: 'error' | 'warning'
  readonly path: KeyPath
  /** What is wrong, why, and what to do. Never holds a secret. */
  readonly message: string
}

/** A finding with its place. */
export interface PlacedFinding extends Finding {
  /** From 1. */
  readonly line: number
  /** `guards[0].origins[1]`; empty for the whole. */
  readonly at: string
}

/** Where values stand in a text. */
export interface Places {
  /** The line, from 1, of what the path leads to. */
  lineOf(path: KeyPath): number
}

/** Writes a path as one would in code. */
export function writePath(path: KeyPath): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('')
}

/** Puts line numbers to findings, in the order of the text. */
export function place(findings: readonly Finding[], places: Places): readonly PlacedFinding[] {
  return findings
    .map((finding) => ({ ...finding, at: writePath(finding.path), line: places.lineOf(finding.path) }))
    .toSorted((one, other) => one.line - other.line)
}

/** `file:line: path: message`, one line for each finding. */
export function writeFinding(file: string, finding: PlacedFinding): string {
  const where = finding.at === '' ? '' : ` ${finding.at}:`
  return `${file}:${finding.line}:${where} ${finding.message}`
}

/** Finds the line of a value, or of the nearest thing around it that is written down. */
export function placesIn(document: Document, lines: LineCounter): Places {
  return {
    lineOf(path) {
      for (let length = path.length; length >= 0; length -= 1) {
        const node = nodeAt(document, path.slice(0, length))
        const start = node?.range?.[0]
        if (start !== undefined) return lines.linePos(start).line
      }
      return 1
    },
  }
}

/** The key of a member, since a mapping's own node begins a line below; else the value itself. */
function nodeAt(document: Document, path: KeyPath): Node | undefined {
  const last = path.at(-1)
  if (typeof last !== 'string') return nodeOf(document.getIn(path, true))
  const parent: unknown = document.getIn(path.slice(0, -1), true)
  const pair = isMap(parent)
    ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last)
    : undefined
  return isScalar(pair?.key) ? pair.key : undefined
}

/** Documents hand out values as `unknown`; those that stand somewhere have a range. */
function nodeOf(value: unknown): Node | undefined {
  const isNode = typeof value === 'object' && value !== null && 'range' in value
  // Every value with a range that a document hands out is a node.
  return isNode ? (value as Node) : undefined
}

/** The schema's issues as findings, in plain words and without the values. */
export function schemaFindings(error: z.ZodError): readonly Finding[] {
  return error.issues.flatMap((issue) => issueFindings(issue, []))
}

function issueFindings(issue: z.core.$ZodIssue, around: KeyPath): readonly Finding[] {
  const path = [...around, ...keysOf(issue.path)]
  if (issue.code === 'invalid_union') return unionFindings(issue, path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      level: 'error',
      path: [...path, key],
      message: 'unknown; is it misspelt? It would have had no effect',
    }))
  }
  return [{ level: 'error', path, message: wordsFor(issue) }]
}

/** The schema's own words name types of JavaScript; these name what one writes. */
function wordsFor(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    return issue.message.endsWith('received undefined')
      ? 'is missing'
      : `must be ${typeNames[issue.expected] ?? issue.expected}`
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'too_small') return `is too small: at least ${issue.minimum}${unitOf(issue.origin)}`
  if (issue.code === 'too_big') return `is too big: at most ${issue.maximum}${unitOf(issue.origin)}`
  if (issue.code === 'invalid_format' && issue.format === 'url')
    return 'not a URL of the kind that is needed here'
  return issue.message
}

/** Of several shapes that all fail, the one that came furthest is probably the one that was meant. */
function unionFindings(issue: z.core.$ZodIssueInvalidUnion, path: KeyPath): readonly Finding[] {
  if (issue.discriminator !== undefined) {
    const known = 'ticket, session, jwt, password, api_key, preauth, wampcra, certificate'
    return [{ level: 'error', path, message: `must be one of ${known}` }]
  }
  const deepest = issue.errors.toSorted((one, other) => depthOf(other) - depthOf(one))[0] ?? []
  return deepest.flatMap((inner) => issueFindings(inner, path))
}

/** Longer paths fit deeper; among equals a wrong value says more than a wrong type. */
function depthOf(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(({ path, code }) => path.length * 2 + (code === 'invalid_value' ? 1 : 0)))
}

function keysOf(path: readonly PropertyKey[]): KeyPath {
  return path.map((key) => (typeof key === 'number' ? key : String(key)))
}

/** Types as they are called in a configuration. */
const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of keys to values',
}

function unitOf(origin: string): string {
  if (origin === 'array') return ' entries'
  return origin === 'string' ? ' characters' : ''
}
