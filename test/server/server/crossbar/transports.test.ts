import { describe, expect, it } from 'vitest'
import {
  at,
  fixture,
  nodeOf,
  read,
  said,
  websocket,
  websocketOf,
  withTransports,
  type Json,
} from './support.ts'

const environment = { PORT: '9443', ALICE: 'a-ticket-of-some-length', BOB: 'part' }

/** What is said of a transport. */
function saidOf(transport: unknown, variables: Record<string, string> = {}): string {
  return said(read(withTransports(transport), variables)).join('\n')
}

/** `level .rest` with the transport's path put in. */
function placed(message: string): string {
  return message.replace(/^(\w+) \./, `$1 ${at}.`)
}

describe('an endpoint', () => {
  it('is read with its defaults, and with everything written', () => {
    const [universal, raw] = nodeOf(fixture('everything.yaml', environment)).routers[0]?.listeners ?? []
    expect(universal?.endpoint).toMatchObject({
      kind: 'tcp',
      host: '::1',
      port: 9_443,
      ipVersion: 6,
      backlog: 10,
      shared: true,
      tls: { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', caCertificates: ['/etc/ssl/clients.pem'] },
    })
    expect(raw?.endpoint).toMatchObject({ kind: 'unix', backlog: 50 })
    const [plain] =
      nodeOf(read(withTransports(websocket({ endpoint: { type: 'tcp', port: 0 } })))).routers[0]?.listeners ??
      []
    expect(plain?.endpoint).toEqual({
      kind: 'tcp',
      host: undefined,
      port: 0,
      ipVersion: 4,
      backlog: 50,
      shared: false,
      tls: undefined,
    })
  })

  it.each([
    [undefined, 'error .endpoint: is missing'],
    ['tcp:8080', 'error .endpoint: must be a mapping'],
    [{ type: 'pipe' }, 'error .endpoint.type: must be one of tcp, unix'],
    [{ type: 'twisted', server_string: 'tcp:80' }, 'error .endpoint.type: cannot apply'],
    [{ type: 'tcp' }, 'error .endpoint.port: is missing'],
    [{ type: 'tcp', port: 65_536 }, 'error .endpoint.port: must be a whole number'],
    [{ type: 'tcp', port: 'http' }, 'error .endpoint.port: must be a whole number'],
    [{ type: 'tcp', port: '$NOWHERE' }, 'error .endpoint.port: needs the environment variable NOWHERE'],
    [{ type: 'tcp', port: '${PORT}' }, 'error .endpoint.port: must be a whole number'],
    [{ type: 'tcp', port: 1, version: 5 }, 'error .endpoint.version: must be 4 or 6'],
    [{ type: 'tcp', port: 1, backlog: 0 }, 'error .endpoint.backlog: must be a whole number'],
    [{ type: 'tcp', port: 1, host: 'a' }, 'error .endpoint.host: unknown'],
    [{ type: 'tcp', port: 1, user_timeout: 5 }, 'warning .endpoint.user_timeout: cannot apply'],
    [{ type: 'tcp', portrange: [8_080, 8_090] }, 'warning .endpoint.portrange: cannot apply'],
    [{ type: 'tcp', port: 1, tls: { key: 'k' } }, 'error .endpoint.tls.certificate: is missing'],
    [
      { type: 'tcp', port: 1, tls: { key: 'k', certificate: 'c', ca_certificates: [] } },
      'error .endpoint.tls.ca_certificates: is empty',
    ],
    [{ type: 'unix' }, 'error .endpoint.path: is missing'],
    [{ type: 'unix', path: 'a\0b' }, 'error .endpoint.path: is no name of a file'],
  ])('is judged: %j', (endpoint, message) => {
    expect(saidOf(websocket({ endpoint }), { PORT: '1' })).toContain(placed(message))
  })

  it.each([
    ['$PORT', 9_443],
    ['8080', 8_080],
  ])('has the port %j', (port, number) => {
    const reading = read(withTransports(websocket({ endpoint: { type: 'tcp', port } })), environment)
    expect(nodeOf(reading).routers[0]?.listeners[0]?.endpoint).toMatchObject({ port: number })
  })
})

describe('WebSocket options', () => {
  it('have the defaults of Crossbar.io, and a bound for messages', () => {
    expect(websocketOf(nodeOf(read(withTransports(websocket({}))))).options).toEqual({
      allowedOrigins: 'any',
      allowNullOrigin: true,
      externalPort: undefined,
      openHandshakeTimeoutMs: 0,
      closeHandshakeTimeoutMs: 0,
      autoPingIntervalMs: 0,
      autoPingTimeoutMs: 0,
      autoPingBytes: 12,
      autoPingRestartOnAnyTraffic: true,
      maxFrameBytes: 0,
      maxMessageBytes: 16_777_216,
      autoFragmentBytes: 0,
      failByDrop: false,
      echoCloseCodeReason: false,
      tcpNoDelay: true,
      webStatus: true,
      requireSubprotocol: true,
      showServerVersion: false,
      compression: undefined,
    })
  })

  it.each([
    [{ auto_ping_interval: 1 }, 'error .options.auto_ping_interval: is in milliseconds: 0, or at least 1000'],
    [{ open_handshake_timeout: 999 }, 'error .options.open_handshake_timeout: is in milliseconds'],
    [{ auto_ping_timeout: -1 }, 'error .options.auto_ping_timeout: must be a whole number'],
    [{ close_handshake_timeout: 1.5 }, 'error .options.close_handshake_timeout: must be a whole number'],
    [
      { auto_ping_size: 126 },
      'error .options.auto_ping_size: must be a whole number, at least 12 and at most 125',
    ],
    [{ max_message_size: 0 }, 'error .options.max_message_size: must be a whole number'],
    [{ max_message_size: 67_108_865 }, 'error .options.max_message_size: must be a whole number'],
    [{ max_connections: 5 }, 'error .options.max_connections: unknown'],
    [{ x_unheard_of: 5 }, 'error .options.x_unheard_of: unknown'],
    [{ fail_by_drop: 'yes' }, 'error .options.fail_by_drop: must be true or false'],
    [{ validate_utf8: false }, 'warning .options.validate_utf8: cannot apply'],
    [{ mask_server_frames: true }, 'warning .options.mask_server_frames: cannot apply'],
    [
      { compression: { deflate: { request_max_window_bits: 7 } } },
      'error .options.compression.deflate.request_max',
    ],
    [{ compression: { brotli: {} } }, 'error .options.compression.brotli: unknown'],
    [
      { compression: { deflate: { max_window_bits: 16 } } },
      'error .options.compression.deflate.max_window_bits: must',
    ],
    [{ allowed_origins: '*' }, 'error .options.allowed_origins: must be a list'],
    [{ allowed_origins: ['*.example.com'] }, 'error .options.allowed_origins[0]: is no origin'],
    [{ allowed_origins: ['https://*'] }, 'error .options.allowed_origins[0]: is no origin'],
    [{ allowed_origins: ['https://app*.example.com'] }, 'error .options.allowed_origins[0]: is no origin'],
    [{ allowed_origins: ['https://a.*.example.com'] }, 'error .options.allowed_origins[0]: is no origin'],
    [{ allowed_origins: ['https://*.com'] }, 'error .options.allowed_origins[0]: is no origin'],
    [{ allowed_origins: ['http://localhost:*'] }, 'error .options.allowed_origins[0]: is no origin'],
    [{ allowed_origins: ['https://app.example.com/'] }, 'error .options.allowed_origins[0]: is no origin'],
  ])('are judged: %j', (options, message) => {
    expect(saidOf(websocket({ options }))).toContain(placed(message))
  })

  it('take what is written, a scheme’s own port included', () => {
    const [universal] = nodeOf(fixture('everything.yaml', environment)).routers[0]?.listeners ?? []
    const service = universal?.kind === 'universal' ? universal.websocket[0]?.service : undefined
    expect(service?.options).toMatchObject({
      allowedOrigins: ['https://*.example.com', 'http://localhost:8080', 'https://app.example.com'],
      openHandshakeTimeoutMs: 2_500,
      autoPingBytes: 64,
      requireSubprotocol: false,
      compression: { maxWindowBits: 11, memoryLevel: 4, requestMaxWindowBits: undefined },
    })
  })

  it('lay our own settings over those of the worker', () => {
    const options = { x_cancel_reply: 'never', x_max_queued_bytes: 65_536, x_authenticator_timeout: 100 }
    expect(websocketOf(nodeOf(read(withTransports(websocket({ options }))))).session).toEqual({
      helloTimeoutMs: 10_000,
      authenticateTimeoutMs: 10_000,
      authenticatorTimeoutMs: 100,
      errorUris: 'spec',
      cancelReply: 'never',
      maxQueuedBytes: 65_536,
    })
  })
})

describe('transports of WAMP', () => {
  it.each([
    [websocket({ serializers: ['json', 'cbor'] }), ['json', 'cbor']],
    [websocket({ serializers: ['ubjson', 'msgpack'] }), ['msgpack']],
    [websocket({}), ['json', 'msgpack', 'cbor']],
  ])('speak the serializers that are named: %#', (transport, serializers) => {
    expect(websocketOf(nodeOf(read(withTransports(transport)))).serializers).toEqual(serializers)
  })

  it.each([
    [websocket({ serializers: ['ubjson'] }), 'error .serializers: names nothing that is spoken here'],
    [websocket({ serializers: ['ubjson', 'json'] }), 'warning .serializers[0]: cannot apply'],
    [websocket({ serializers: ['xml'] }), 'error .serializers[0]: must be one of json'],
    [websocket({ serializers: [] }), 'error .serializers: is empty'],
    [websocket({ url: 'http://a' }), 'error .url: must be a URL of a WebSocket'],
    [websocket({ paths: {} }), 'error .paths: unknown'],
    [websocket({ debug: 1 }), 'error .debug: must be true or false'],
    [{ endpoint: {} }, 'error .type: is missing'],
    [{ type: 'carrier-pigeon' }, 'error .type: must be one of web, websocket'],
  ])('are judged: %#', (transport, message) => {
    expect(saidOf(transport)).toContain(placed(message))
  })

  const raw = { type: 'rawsocket', endpoint: { type: 'unix', path: 'router.sock' } }

  it('over RawSocket hold what its first octets can announce', () => {
    const [first, second] = nodeOf(fixture('everything.yaml', environment)).routers[0]?.listeners ?? []
    expect(first).toMatchObject({
      kind: 'universal',
      rawsocket: {
        serializers: ['msgpack', 'cbor'],
        maxMessageBytes: 65_536,
        session: { maxQueuedBytes: 65_536 },
      },
    })
    expect(second).toMatchObject({ kind: 'rawsocket', rawsocket: { maxMessageBytes: 16_777_216 } })
  })

  it.each([
    [{ options: { max_message_size: 0 } }, 'error .options.max_message_size: must be a whole number'],
    [{ options: { allowed_origins: [] } }, 'error .options.allowed_origins: unknown'],
    [
      { auth: { cookie: {}, anonymous: {} } },
      'error .auth.cookie: cannot apply: a RawSocket carries no cookies',
    ],
    [{ cookie: {} }, 'error .cookie: unknown'],
  ])('over RawSocket are judged: %j', (members: Json, message) => {
    expect(saidOf({ ...raw, ...members })).toContain(placed(message))
  })

  it.each(['mqtt', 'flashpolicy', 'websocket.testee', 'stream.testee'])('of type %s are left out', (type) => {
    const reading = read(withTransports({ type, endpoint: { type: 'tcp', port: 1_883 } }))
    expect(said(reading)).toEqual([`warning ${at}: cannot apply: transports of type ${type} do not run here`])
    expect(nodeOf(reading).routers[0]?.listeners).toEqual([])
  })
})

describe('a certificate as a way to authenticate', () => {
  const endpoint = {
    type: 'tcp',
    port: 8_443,
    tls: { key: 'k', certificate: 'c', ca_certificates: ['ca.pem'] },
  }
  const auth = {
    tls: { type: 'static', principals: { a: { 'certificate-sha1': '00'.repeat(20), role: 'frontend' } } },
  }

  it('needs listed origins, since browsers show certificates to every page', () => {
    expect(saidOf(websocket({ endpoint, auth }))).toContain(
      placed('error .options.allowed_origins: must list origins'),
    )
    expect(
      saidOf(websocket({ endpoint, auth, options: { allowed_origins: ['https://a.example.com'] } })),
    ).toBe('')
  })
})

describe('a universal transport', () => {
  const endpoint = { type: 'tcp', interface: 'localhost', port: 1 }

  it.each([
    [{ mqtt: { options: {} } }, 'warning .mqtt: cannot apply'],
    [{ websocket: { ws: { type: 'websocket', endpoint } } }, 'error .websocket.ws.endpoint: unknown'],
    [{ websocket: { 'a/b': { type: 'websocket' } } }, 'error .websocket.a/b: is no path'],
    [{ rawsocket: { endpoint } }, 'error .rawsocket.endpoint: unknown'],
    [{ web: {} }, 'error .web.paths: is missing'],
    [{ paths: {} }, 'error .paths: unknown'],
  ])('is judged: %j', (members, message) => {
    expect(saidOf({ type: 'universal', endpoint, ...members })).toContain(placed(message))
  })
})

describe('a web transport', () => {
  const web = (paths: unknown, options: unknown = {}): Json => ({
    type: 'web',
    endpoint: { type: 'tcp', interface: 'localhost', port: 8_080 },
    paths,
    options,
  })

  it('keeps its services with their defaults', () => {
    const paths = {
      '/': { type: 'static', directory: '../web', options: { mime_types: { '.js': 'text/javascript' } } },
      config: { type: 'json', value: { a: [1] }, options: { prettify: true } },
    }
    const transport = web(paths, { hsts: true, client_timeout: 30 })
    const [listener] = nodeOf(read(withTransports(transport))).routers[0]?.listeners ?? []
    expect(listener).toMatchObject({
      web: {
        hstsMaxAgeS: 31_536_000,
        clientTimeoutMs: 30_000,
        accessLog: false,
        paths: [
          {
            path: '/',
            service: {
              kind: 'static',
              directory: '/srv/node/web',
              listing: false,
              defaultFile: 'index.html',
              mimeTypes: [{ extension: '.js', type: 'text/javascript' }],
              cacheTimeoutS: 43_200,
            },
          },
          {
            path: '/config',
            service: { kind: 'json', value: { a: [1] }, prettify: true, allowCrossOrigin: true },
          },
        ],
      },
    })
  })

  it.each([
    'longpoll',
    'publisher',
    'caller',
    'webhook',
    'upload',
    'wsgi',
    'cgi',
    'resource',
    'reverseproxy',
  ])('leaves out services of type %s', (type) => {
    expect(saidOf(web({ a: { type, whatever: 1 } }))).toBe(
      `warning ${at}.paths.a: cannot apply: services of type ${type} do not run here`,
    )
  })

  it.each([
    [undefined, 'error .paths: is missing'],
    [{ 'a/b': { type: 'nodeinfo' } }, 'error .paths.a/b: is no path'],
    [{ '': { type: 'nodeinfo' } }, 'error .paths.: is no path'],
    [{ a: { type: 'magic' } }, 'error .paths.a.type: must be one of websocket'],
    [{ a: {} }, 'error .paths.a.type: is missing'],
    [{ a: { type: 'nodeinfo', x: 1 } }, 'error .paths.a.x: unknown'],
    [{ a: { type: 'json' } }, 'error .paths.a.value: is missing'],
    [{ a: { type: 'redirect' } }, 'error .paths.a.url: is missing'],
    [{ a: { type: 'redirect', url: 'a\r\nb' } }, 'error .paths.a.url: is no URL'],
    [{ a: { type: 'static' } }, 'error .paths.a.directory: is missing'],
    [
      { a: { type: 'static', package: 'p', resource: 'r' } },
      'warning .paths.a: cannot apply: files of Python',
    ],
    [{ a: { type: 'static', package: 'p', directory: 'd' } }, 'error .paths.a.directory: stands beside'],
    [{ a: { type: 'path' } }, 'error .paths.a.paths: is missing'],
    [{ a: { type: 'path', paths: { b: { type: 'websocket', x: 1 } } } }, 'error .paths.a.paths.b.x: unknown'],
    [
      { '/': { type: 'path', paths: { a: { type: 'nodeinfo' } } }, a: { type: 'nodeinfo' } },
      'error .paths: has two services at one path',
    ],
  ])('is judged by its paths: %j', (paths, message) => {
    expect(saidOf(web(paths))).toContain(placed(message))
  })

  it.each([
    [null, 'error .options: must be a mapping'],
    [{ hsts_max_age: -1 }, 'error .options.hsts_max_age: must be a whole number'],
    [{ display_tracebacks: true }, 'warning .options.display_tracebacks: cannot apply'],
    [{ x: 1 }, 'error .options.x: unknown'],
  ])('is judged by its options: %j', (options, message) => {
    expect(saidOf(web({}, options))).toContain(placed(message))
  })
})
