import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../../../tools/processes.ts'

/** Files by which a framework's sockets meet a guard, and the names that they are imported by. */
const adapters: readonly (readonly [file: string, name: string])[] = [
  ['ws', 'ws'],
  ['fastify', 'fastify'],
  ['express', 'express'],
  ['graphql-ws', 'graphql-ws'],
  ['crossws', 'crossws'],
  ['hono', 'hono'],
  ['trpc', 'trpc'],
  ['hocuspocus', 'hocuspocus'],
  ['socket-io', 'socket.io'],
]

/** Sections of such a file, in their order, and how a declaration of each begins. */
const sections: readonly (readonly [section: string, begins: RegExp])[] = [
  ['imports', /^import /],
  ['what belongs to others', /^export (type )?\{/],
  ['what is declared elsewhere', /^declare /],
  ['what it takes and gives', /^export (interface|type \w)|^export const \w*Codes\b/],
  ['the lease', /^export function leaseOf\b/],
  ['the guard', /^export (function|const) (guard\w+|\w+Door|countersign|upgradeListener)\b/],
  ['what is besides', /^export function /],
  ['inside', /^(interface|type|const|(async )?function|class) /],
]

interface Declaration {
  readonly line: string
  readonly section: string
}

/** Declarations stand at the beginning of a line; nothing else of a formatted file does, but brackets and comments. */
function declarationsOf(file: string): readonly Declaration[] {
  const text = readFileSync(join(root, 'packages/countersign/src/adapters', `${file}.ts`), 'utf8')
  return text
    .split('\n')
    .filter((line) => /^[a-z]/.test(line))
    .map((line) => ({ line, section: sections.find(([, begins]) => begins.test(line))?.[0] ?? 'none' }))
}

describe.each(adapters)('the adapter %s', (file, name) => {
  const order = sections.map(([section]) => section)

  test('has the sections of all adapters, in their order', () => {
    const declarations = declarationsOf(file)
    const ranks = declarations.map(({ section }) => order.indexOf(section))
    expect(declarations.filter(({ section }) => section === 'none')).toEqual([])
    const early = declarations.filter((_one, at) => at > 0 && (ranks[at] ?? 0) < (ranks[at - 1] ?? 0))
    expect(early.map(({ line }) => line)).toEqual([])
    expect(declarations.map(({ section }) => section)).toContain('the guard')
  })

  test('says the name that it is imported by first, and names its options and its lease', () => {
    const text = readFileSync(join(root, 'packages/countersign/src/adapters', `${file}.ts`), 'utf8')
    expect(text.startsWith(`/** \`countersign/${name}\``)).toBe(true)
    expect(text).toMatch(
      /^export (interface|type) (\w*Options)\b|^export type \{[^}]*\bWsOptions\b|^export type \{[^}]*\bUpgradeOptions\b/m,
    )
    expect(text).toMatch(/^export function leaseOf\b|lease\??: Lease\b/m)
  })
})

test('every framework of the package has such a file', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'packages/countersign/package.json'), 'utf8')) as {
    exports: Record<string, { 'countersign-source'?: string }>
  }
  const published = Object.entries(exports)
    .filter(([, at]) => at['countersign-source']?.startsWith('./src/adapters/') === true)
    .map(([path]) => path.slice(2))
  // Transports of a router and the upgrade without a framework have shapes of their own.
  const others = ['http', 'wamp/ws', 'wamp/node', 'wamp/rawsocket']
  expect(published.filter((path) => !others.includes(path)).sort()).toEqual(
    adapters.map(([, name]) => name).sort(),
  )
})
