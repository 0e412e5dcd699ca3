/** A name such as `localhost` has several addresses, and Fastify makes a server for each; what listens to the first hears them all. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'

/**
 * Makes the servers of one application. Those behind the first hand their requests to it, as Fastify hands it their
 * upgrades, so that a library attached to `app.server` answers at every address.
 */
export function oneServer(options: ServerOptions): (handle: RequestListener) => Server {
  let first: Server | undefined
  return (handle) => {
    const main = first
    if (main !== undefined)
      return createServer(options, (request, response) => void main.emit('request', request, response))
    first = createServer(options, handle)
    return first
  }
}
