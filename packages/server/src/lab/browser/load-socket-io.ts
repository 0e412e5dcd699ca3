import type { io } from 'socket.io-client'

/** What the client's module exports, as far as the lab uses it. */
export type ConnectSocketIo = typeof io

/** Where the lab and the hostile site serve the package's own module. */
const source = '/assets/lab/socket.io.esm.min.js'

let loading: Promise<ConnectSocketIo> | undefined

/** Socket.IO's own client; fetched when the first case needs it. @throws Error when the site has none */
export function loadSocketIo(): Promise<ConnectSocketIo> {
  loading ??= load()
  return loading
}

async function load(): Promise<ConnectSocketIo> {
  // The package's build for browsers; its types are those of the package.
  const client = (await import(source)) as { readonly io: ConnectSocketIo }
  return client.io
}
