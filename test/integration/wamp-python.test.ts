/** Debian's Autobahn|Python, unmodified, in both of its frameworks. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formats } from '../countersign/adapters/wamp-client.ts'
import type { Site } from '../countersign/adapters/wamp-site.ts'
import { startForGuests, ways, type Way } from './wamp-guests.ts'

const python = '/usr/bin/python3'
const script = join(import.meta.dirname, 'wamp-python.py')

let site: Site
beforeAll(async () => {
  site = await startForGuests()
})
afterAll(() => site.close())

/** One visit. */
interface Case {
  readonly name: string
  readonly url: string
  readonly realm: string
  /** Offered in this order; none: the library's own list. */
  readonly serializers: readonly string[]
  readonly method: string | undefined
  readonly with: Readonly<Record<string, unknown>>
  readonly rejoin?: boolean
}

interface Visit {
  readonly joins: readonly Readonly<Record<string, unknown>>[]
  readonly leaves: readonly string[]
  readonly failure?: string
}

function visit(framework: string, cases: readonly Case[]): Promise<readonly Visit[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(python, [script, framework], { timeout: 90_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as readonly Visit[])
      else reject(new Error(`${error.message}\n${stderr}`))
    })
    child.stdin?.end(JSON.stringify(cases))
  })
}

/** How each method is told its secret. */
const secretNames: Readonly<Record<string, string>> = {
  ticket: 'ticket',
  wampcra: 'secret',
  cryptosign: 'privkey',
  scram: 'password',
}

function caseOf(name: string, { method, authid, secret }: Way, serializers: readonly string[]): Case {
  const secretName = secretNames[method ?? '']
  const shown = secretName === undefined ? {} : { authid, [secretName]: secret }
  return { name, url: site.url, realm: 'realm1', serializers, method, with: shown }
}

/** A name that the router has made up. */
const drawn: unknown = expect.any(String)

/** What a visit comes to when everything works. */
function complete(name: string, { authid, authrole, method }: Way, serializer: string): object {
  const join = {
    realm: 'realm1',
    authid: authid ?? drawn,
    authrole,
    authmethod: method ?? 'anonymous',
    authprovider: 'static',
    serializer,
  }
  return {
    joins: [join],
    leaves: ['wamp.close.goodbye_and_out'],
    echo: true,
    bytes: true,
    error: ['com.python.broken', ['not today'], { why: 'because' }],
    progress: [0, 1, 2, 3],
    canceled: expect.stringMatching(/CancelledError|ApplicationError/),
    missing: 'wamp.error.no_such_procedure',
    events: [
      ['news', `com.python.${name}.topic`],
      ['news', `com.python.${name}.topic`],
    ],
    denied: 'wamp.error.not_authorized',
  }
}

const serializers = formats.flatMap((format) => [format, `${format}.batched`])

describe.each(['asyncio', 'twisted'])("Debian's python3-autobahn with %s", (framework) => {
  it('joins by every method over every serializer, batched ones too, and does everything a session can', async () => {
    const all = Object.entries(ways).flatMap(([what, way], at) =>
      serializers.map((serializer, also) => ({ way, serializer, what, name: `v${at}x${also}` })),
    )
    const visits = await visit(
      framework,
      all.map(({ way, serializer, name }) => caseOf(name, way, [serializer])),
    )
    expect(visits).toHaveLength(all.length)
    for (const [at, { way, serializer, what, name }] of all.entries()) {
      expect([what, visits[at]]).toMatchObject([what, complete(name, way, serializer)])
    }
  })

  it('offers its own list, and speaks the first of it that the router knows', async () => {
    const [first] = await visit(framework, [caseOf('own', ways['wampcra'] ?? none, [])])
    expect(first).toMatchObject(complete('own', ways['wampcra'] ?? none, 'cbor.batched'))
  })

  it('joins again on the transport that it has left a session on', async () => {
    const names = ['nothing', 'ticket', 'wampcra', 'cryptosign']
    const visits = await visit(
      framework,
      names.map((name) => ({ ...caseOf(`again-${name}`, ways[name] ?? none, ['cbor']), rejoin: true })),
    )
    for (const [at, name] of names.entries()) {
      expect([name, visits[at]]).toMatchObject([name, { joins: [{}, {}], second: 42 }])
      expect(visits[at]?.failure).toBeUndefined()
    }
  })

  it('trap 6: understands every ABORT: it has three elements, and a message that is text', async () => {
    const wrong = Object.entries(ways).filter(([, { secret }]) => secret !== '')
    const visits = await visit(framework, [
      ...wrong.map(([, way]) => caseOf('wrong', { ...way, secret: rotated(way.secret) }, ['json'])),
      ...wrong.map(([name, way]) => caseOf('stranger', { ...way, authid: `${name}-${framework}` }, ['cbor'])),
      { ...caseOf('nowhere', none, ['msgpack']), realm: 'com.no.realm' },
    ])
    const denied = wrong.flatMap(() => ['wamp.error.authentication_denied'])
    expect(visits.map(({ joins, leaves }) => [...joins, ...leaves])).toEqual(
      [...denied, ...denied, 'wamp.error.no_such_realm'].map((reason) => [reason]),
    )
  })
})

// Under asyncio 22.7.1 breaks on RawSocket by itself: it looks for facts of its transport that it has not set.
describe("Debian's python3-autobahn with twisted", () => {
  it('speaks RawSocket with every serializer', async () => {
    const url = `rs://localhost:${site.raw}`
    const way = ways['salted wampcra'] ?? none
    const visits = await visit(
      'twisted',
      formats.map((format) => ({ ...caseOf(`raw-${format}`, way, [format]), url })),
    )
    for (const [at, format] of formats.entries()) {
      expect(visits[at]).toMatchObject(complete(`raw-${format}`, way, format))
    }
  })
})

const none: Way = { method: undefined, authid: undefined, authrole: 'anonymous', secret: '' }

/** Wrong, and of the same form. */
function rotated(text: string): string {
  return `${text.slice(1)}${text.slice(0, 1)}`
}
