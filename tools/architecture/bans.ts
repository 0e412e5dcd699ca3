import type { Manner } from './arrows.ts'
import { lineAt } from './imports.ts'

/** A name that a room may not use. */
export interface Banned {
  readonly name: string
  readonly line: number
}

/** A global, used as such: neither a member (`ports.crypto`) nor a property's name (`crypto: …`). */
function global(name: string): RegExp {
  return new RegExp(String.raw`(?<![\w$.])${name}(?![\w$])(?!\s*\??:)`, 'g')
}

const hostObjects: readonly (readonly [string, RegExp])[] = ['Buffer', 'process'].map((name) => [
  name,
  global(name),
])

const lentThings: readonly (readonly [string, RegExp])[] = [
  ['Date.now', /(?<![\w$.])Date\s*\.\s*now\b/g],
  ['new Date()', /(?<![\w$.])new\s+Date\s*(?:\(\s*\)|(?![\s(\w$]))/g],
  ['Date()', /(?<!new\s+)(?<![\w$.])Date\s*\(/g],
  ['Math.random', /(?<![\w$.])Math\s*\.\s*random\b/g],
  ...[
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'performance',
    'crypto',
    'console',
    'globalThis',
  ].map((name): readonly [string, RegExp] => [name, global(name)]),
]

const bans: Readonly<Record<Manner, readonly (readonly [string, RegExp])[]>> = {
  pure: [...hostObjects, ...lentThings],
  portable: hostObjects,
  any: [],
}

/** Finds what a room of this manner may not use, in code whose comments and literals are blanked. */
export function findBanned(bare: string, manner: Manner): readonly Banned[] {
  return bans[manner].flatMap(([name, pattern]) =>
    [...bare.matchAll(pattern)].map(({ index }) => ({ name, line: lineAt(bare, index) })),
  )
}
