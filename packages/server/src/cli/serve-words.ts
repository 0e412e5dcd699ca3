/** What `countersign serve` says when it listens, and when it cannot. */
import type { ListenError } from '../server/serve.ts'
import type { Call } from './command.ts'
import { alignColumns } from './table.ts'

/** The cure differs by the cause, so each known cause has its words. */
export function wordsForListening({ code, address }: ListenError): string {
  if (code === 'EADDRINUSE') return `${address} is taken: stop what listens there, or choose another "listen"`
  if (code === 'EACCES')
    return `${address}: not allowed; ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)`
  if (code === 'EADDRNOTAVAIL') return `${address} is no address of this machine; choose another "listen"`
  if (code === 'EEXIST') return `${address} is a file and no socket; remove it, or choose another path`
  return `${address} cannot be listened on (${code})`
}

/** What clients reach, for people and for scripts: one line `ready URL` for each. */
export function tellReady(
  call: Call,
  serving: { readonly listeners: readonly { readonly name: string; readonly url: string }[] },
): void {
  if (call.json) {
    call.print(JSON.stringify({ ready: true, listeners: serving.listeners }))
    return
  }
  call.print(...alignColumns(serving.listeners.map(({ name, url }) => [name, url])))
  for (const { url } of serving.listeners) call.print(`ready ${url}`)
}
