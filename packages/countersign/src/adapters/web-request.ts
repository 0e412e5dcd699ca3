/** A request of Node as frameworks of the Fetch standard take it. */
import type { IncomingMessage } from 'node:http'

/** @returns `undefined` where there is no request of this URL */
export function webRequest(request: IncomingMessage): Request | undefined {
  const scheme = 'encrypted' in request.socket ? 'https' : 'http'
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers))
    for (const one of [value ?? []].flat()) headers.append(name, one)
  try {
    return new Request(`${scheme}://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`, { headers })
  } catch {
    return undefined
  }
}
