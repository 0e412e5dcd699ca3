import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import { oneServer } from '../../../packages/server/src/lab/one-server.ts'

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}/`
}

it('a library at the first server hears the requests of all of them, and the application the rest', async () => {
  const make = oneServer({})
  const servers: Server[] = []
  const app = Fastify({
    serverFactory: (handle) => {
      servers.push(make(handle), make(handle))
      return servers[0] as Server
    },
  })
  app.get('/', () => 'the application')
  await app.ready()
  const [first, second] = servers
  if (first === undefined || second === undefined) throw new Error('no servers')
  // As Engine.IO attaches itself.
  const others = first.listeners('request')
  first.removeAllListeners('request')
  first.on('request', (request, response) => {
    if (request.url === '/library') response.end('the library')
    else for (const other of others) Reflect.apply(other, first, [request, response])
  })
  for (const url of [await listen(first), await listen(second)]) {
    expect(await (await fetch(url)).text()).toBe('the application')
    expect(await (await fetch(`${url}library`)).text()).toBe('the library')
  }
})
