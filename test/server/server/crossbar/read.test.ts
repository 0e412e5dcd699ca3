import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCrossbarConfig, readCrossbarConfig } from '../../../../packages/server/src/server/crossbar/read.ts'
import {
  at,
  fixture,
  methodOf,
  nodeOf,
  path,
  read,
  said,
  websocket,
  websocketOf,
  withTransports,
} from './support.ts'

const runs = { numRuns: Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000) }
const environment = { PORT: '9443', ALICE: 'a-ticket-of-some-length', BOB: 'part' }

/** What is said of a text, YAML unless the name says otherwise. */
function saidOf(text: string, file = '/srv/config.yaml'): readonly string[] {
  return said(readCrossbarConfig(text, { path: file, environment: {} }))
}

describe('a node configuration', () => {
  it('is read as Crossbar.io documents challenge-response', () => {
    const reading = fixture('challenge-response.json')
    const [source] = methodOf(websocketOf(nodeOf(reading)).auth, 'wampcra').sources
    expect(source).toMatchObject({
      kind: 'static',
      principals: [
        { name: 'joe', authid: 'joe', role: 'frontend', secret: 'secret2', salting: undefined },
        {
          name: 'peter',
          secret: 'prq7+YkJ1/KlW1X0YczMHw==',
          salting: { salt: 'salt123', iterations: 100, keylen: 16 },
        },
        { name: 'foobar83', secret: 'Xy$h2l-D' },
      ],
    })
  })

  it('is told which of its secrets everyone knows, by path and line', () => {
    const reading = fixture('challenge-response.json')
    const users = `${at}.paths.ws.auth.wampcra.users`
    expect(reading.warnings.map(({ at: where, line }) => [where, line])).toEqual([
      [`${users}.joe.secret`, 38],
      [`${users}.peter.secret`, 40],
      [`${users}.peter.iterations`, 43],
      [`${users}.foobar83.secret`, 46],
    ])
  })

  it('of the first version means what it meant', () => {
    const node = nodeOf(fixture('first-version.json'))
    const [role] = node.routers[0]?.realms[0]?.roles ?? []
    const rules = role?.grant.kind === 'rules' ? role.grant.rules : []
    expect(node.version).toBe(1)
    expect(rules.map(({ uri, match, cache }) => [uri, match, cache])).toEqual([
      ['', 'prefix', true],
      ['com.example.', 'prefix', true],
      ['com..status', 'wildcard', true],
      ['com.example.clock', 'exact', false],
    ])
    expect(rules[1]?.allow).toEqual({ call: true, register: true, publish: false, subscribe: false })
    expect(websocketOf(node).url).toBe('ws://127.0.0.1:9000')
  })

  it('without a version is of the first, with its paths flattened', () => {
    const node = nodeOf(fixture('versionless.json'))
    const [listener] = node.routers[0]?.listeners ?? []
    const paths = listener?.kind === 'web' ? listener.web.paths : []
    expect(node.version).toBe(1)
    expect(paths.map(({ path: where, service }) => [where, service.kind])).toEqual([
      ['/', 'nodeinfo'],
      ['/ws', 'websocket'],
      ['/api', 'redirect'],
      ['/api/ws', 'websocket'],
      ['/api/settings', 'json'],
    ])
  })

  it('may be a single router', () => {
    const [router] = nodeOf(read({ realms: [{ name: 'realm1' }], transports: [websocket({})] })).routers
    expect(router?.realms.map(({ name }) => name)).toEqual(['realm1'])
    expect(router?.listeners).toHaveLength(1)
  })

  it('becomes a value that nobody can change', () => {
    const node = nodeOf(fixture('everything.yaml', environment))
    const open: unknown[] = []
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      if (!Object.isFrozen(value)) open.push(value)
      for (const inner of Object.values(value)) visit(inner)
    }
    visit(node)
    expect(open).toEqual([])
  })

  it('is told from one of the program’s own form', () => {
    expect(isCrossbarConfig({ version: 2, workers: [] })).toBe(true)
    expect(isCrossbarConfig({ version: 2, controller: {} })).toBe(true)
    expect(isCrossbarConfig({ realms: [], transports: [] })).toBe(true)
    expect(isCrossbarConfig({ site: { listen: 'localhost:8080' }, guards: [] })).toBe(false)
    expect(isCrossbarConfig({ version: 2 })).toBe(false)
    for (const other of [undefined, null, 1, 'workers', ['workers']])
      expect(isCrossbarConfig(other)).toBe(false)
  })
})

describe('the top of a node configuration', () => {
  it.each([
    [{}, 'error workers: is missing'],
    [{ version: 3, workers: [] }, 'error version: must be 1 or 2'],
    [{ workers: {} }, 'error workers: must be a list'],
    [{ workers: [], extra: 1 }, 'error extra: unknown; is it misspelt? It would have had no effect'],
    [{ workers: [{}] }, 'error workers[0].type: is missing'],
    [{ workers: [{ type: 'router', x: 1 }] }, 'error workers[0].x: unknown; is it misspelt?'],
    [{ workers: [3] }, 'error workers[0].type: is missing'],
    [{ workers: [], controller: { manhole: {} } }, 'warning controller.manhole: cannot apply'],
    [{ workers: [], controller: { options: { x: 1 } } }, 'error controller.options.x: unknown'],
    [
      { workers: [{ type: 'guest', executable: 'x' }] },
      'warning workers[0]: cannot apply: workers of type guest',
    ],
    [
      { workers: [{ type: 'router', components: [{ type: 'class' }] }] },
      'warning workers[0].components: cannot apply: nothing of Python runs here',
    ],
    [{ workers: [{ type: 'router', connections: [] }] }, 'warning workers[0].connections: cannot apply'],
    [{ workers: [{ type: 'router', manhole: {} }] }, 'warning workers[0].manhole: cannot apply'],
    [
      { workers: [{ type: 'router', options: { pythonpath: ['..'] } }] },
      'warning workers[0].options.pythonpath: cannot apply',
    ],
    [{ workers: [{ type: 'router', options: { disabled: true } }] }, 'warning workers[0]: is disabled'],
  ])('is judged: %j', (values, message) => {
    expect(said(read(values)).join('\n')).toContain(message)
  })

  it('skips a worker that a variable disables', () => {
    const worker = { type: 'router', options: { disabled: '${OFF}' } }
    expect(nodeOf(read({ workers: [worker] }, { OFF: 'yes' })).routers).toEqual([])
    expect(nodeOf(read({ workers: [worker] })).routers).toHaveLength(1)
  })
})

describe('the text of a node configuration', () => {
  it('is YAML or JSON, by its name and else by its first character', () => {
    expect(saidOf('workers: []')).toEqual([])
    expect(saidOf('{workers: []}')).toEqual([])
    expect(saidOf('workers: []', '/srv/config.json')).toEqual(['error : cannot be read as JSON'])
    expect(saidOf('{workers: []}', '/srv/config')).toEqual(['error : cannot be read as JSON'])
    expect(saidOf('workers: []', '/srv/config')).toEqual([])
  })

  it.each([
    ['{"version":2,"workers":[],"version":1}', '/srv/c.json', 'error version: stands twice'],
    ['workers:\n  - type: router\n    type: guest\n', '/srv/c.yaml', 'error workers[0].type: stands twice'],
    ['workers: !!python/object:os.system []', '/srv/c.yaml', 'error : has a tag (!)'],
    ['workers: !!set {}', '/srv/c.yaml', 'has a tag (!)'],
    ['workers: &a [*a]', '/srv/c.yaml', 'error workers[0]: is an alias of what it stands in'],
    ['workers: [', '/srv/c.yaml', 'error : cannot be read as YAML'],
    ['a: 1\n---\nb: 2\n', '/srv/c.yaml', 'error : cannot be read as YAML'],
    ['[]', '/srv/c.yaml', 'error : must be a mapping of keys to values'],
    ['', '/srv/c.yaml', 'error : must be a mapping of keys to values'],
  ])('is refused: %j', (text, file, message) => {
    expect(saidOf(text, file).join('\n')).toContain(message)
  })

  it('is refused when aliases would blow up', () => {
    const levels = 'abcdefgh'.split('').map((name, index, all) => {
      const inner = index === 0 ? '1' : `*${all[index - 1] ?? ''}`
      return `${name}: &${name} [${Array.from({ length: 9 }, () => inner).join(', ')}]`
    })
    expect(saidOf(levels.join('\n'))).toEqual(['error : repeats too much by aliases (&, *)'])
  })

  it.each([
    ['brackets', '['.repeat(100_000), '/srv/c.yaml'],
    ['mappings', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, '/srv/c.json'],
    ['dashes', '- '.repeat(50_000), '/srv/c.yaml'],
    ['a little too many brackets', `{"workers":${'['.repeat(70)}${']'.repeat(70)}}`, '/srv/c.json'],
  ])('is refused when it nests too deeply: %s', (_, text, file) => {
    expect(saidOf(text, file)).toEqual(['error : is nested too deeply'])
  })

  it('is refused when it is over 4 MiB', () => {
    expect(saidOf(`workers: []\n# ${'é'.repeat(2_100_000)}`)).toEqual([
      'error : is over 4 MiB: no configuration',
    ])
  })

  it('does not come back in complaints', () => {
    expect(saidOf('ticket: "hidden-secret\nworkers: [', '/srv/c.yaml').join('\n')).not.toContain('hidden')
  })

  it('has its complaints counted, not repeated for ever', () => {
    const keys = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`key${index}`, 1]))
    expect(said(read({ workers: [], ...keys }))).toHaveLength(500)
  })
})

describe('reading', () => {
  it('answers whatever the text is', () => {
    const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json())
    const files = fc.constantFrom('/srv/c.json', '/srv/c.yaml', '/srv/c')
    fc.assert(
      fc.property(texts, files, (text, file) => {
        expect(readCrossbarConfig(text, { path: file, environment: {} }).kind).toMatch(/^(ok|invalid)$/)
      }),
      runs,
    )
  })

  it('answers whatever stands in a configuration’s places, at a path, and repeats no secret', () => {
    const marked = fixture('everything.yaml', environment)
    expect(marked.kind).toBe('ok')
    fc.assert(
      fc.property(fc.nat(), fc.jsonValue({ maxDepth: 2 }), (seed, value) => {
        const reading = read(replaced(template, seed, value), environment)
        const issues = [...reading.warnings, ...(reading.kind === 'invalid' ? reading.issues : [])]
        for (const issue of issues) expect(issue.at).not.toBe('')
        expect(JSON.stringify(issues)).not.toContain('marker')
      }),
      { numRuns: Math.min(runs.numRuns, 2_000) },
    )
  })
})

const marker = 'marker-of-a-secret'
const template: Record<string, unknown> = {
  ...withTransports(
    websocket({
      cookie: { store: { type: 'file', filename: 'cookies' } },
      options: { allowed_origins: ['https://app.example.com'], auto_ping_interval: 5_000 },
      auth: {
        cookie: {},
        ticket: { type: 'static', principals: { a: { ticket: marker, role: 'frontend' } } },
        wampcra: [
          {
            type: 'static',
            users: { b: { secret: marker, salt: marker, iterations: 100, keylen: 32, role: 'frontend' } },
          },
          { type: 'function', create: './auth.mjs', config: { password: marker } },
        ],
        cryptosign: { type: 'dynamic', authenticator: 'com.example.authenticate' },
      },
    }),
    {
      type: 'web',
      endpoint: { type: 'unix', path: 'web.sock' },
      paths: { x: { type: 'json', value: marker } },
    },
  ),
}

/** The values with one of them, chosen by a number, replaced. */
function replaced(values: Record<string, unknown>, seed: number, value: unknown): unknown {
  const copy = structuredClone(values)
  const places: (readonly [object, string])[] = []
  const visit = (one: unknown): void => {
    if (typeof one !== 'object' || one === null) return
    for (const [key, inner] of Object.entries(one)) {
      places.push([one, key])
      visit(inner)
    }
  }
  visit(copy)
  const [holder, key] = places[seed % places.length] ?? [copy, 'workers']
  Reflect.set(holder, key, value)
  return copy
}

it('sees relative files from the folder of the configuration', () => {
  const transport = websocket({ endpoint: { type: 'unix', path: 'router.sock' } })
  const [listener] = nodeOf(read(withTransports(transport))).routers[0]?.listeners ?? []
  expect(path).toBe('/srv/node/.crossbar/config.json')
  expect(listener?.endpoint).toMatchObject({ kind: 'unix', path: '/srv/node/.crossbar/router.sock' })
})
