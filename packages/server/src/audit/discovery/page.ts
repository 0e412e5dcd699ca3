/** Sockets that a page opens, as far as its HTML and its own scripts say so. */
import type { PageText } from '../page-scripts.ts'
import type { Protocol } from '../target.ts'

/** A socket that a page seems to open. */
export interface Discovered {
  readonly url: URL
  /** Where the text leaves no doubt. */
  readonly protocol: Protocol | undefined
}

const maxFound = 20

/** Finds sockets in texts. Addresses without a host are the page's own. */
export function discoverSockets(texts: readonly PageText[], page: URL): readonly Discovered[] {
  const own = page.origin.replace(/^http/, 'ws')
  const found = new Map<string, Discovered>()
  const add = (address: string, protocol?: Protocol): void => {
    if (found.size >= maxFound || !URL.canParse(address, `${own}${page.pathname}`)) return
    const url = new URL(address, `${own}${page.pathname}`)
    if (/^wss?:$/.test(url.protocol)) found.set(url.href, { url, protocol })
  }
  for (const { text } of texts) {
    for (const [, address = ''] of text.matchAll(/["'`](wss?:\/\/[^"'`\s${}]{1,500})["'`]/g)) add(address)
    // A template of the page's own host: `wss://${location.host}/socket`.
    for (const [, path = ''] of text.matchAll(/wss?:\/\/\$\{[^}]{1,80}\}(\/[^"'`\s${}]{0,300})/g)) add(path)
    // 'wss://' + location.host + '/socket'
    for (const [, path = ''] of text.matchAll(/location\.host\s*\+\s*["'`](\/[^"'`\s]{0,300})["'`]/g))
      add(path)
    for (const [, path = ''] of text.matchAll(/new WebSocket\(\s*["'`](\/[^"'`\s${}]{0,300})["'`]/g))
      add(path)
    if (/\bio\(|socket\.io(?:\.min|\.esm)?(?:\.min)?\.js/.test(text)) add(pathOfSocketIo(text), 'socket.io')
  }
  return [...found.values()]
}

/** The option `path` of Socket.IO's client, where it stands as a literal. */
function pathOfSocketIo(text: string): string {
  const path = /\bio\([^)]{0,400}?\bpath\s*:\s*["'`](\/[^"'`\s]{1,200})["'`]/.exec(text)?.[1] ?? '/socket.io/'
  return path.endsWith('/') ? path : `${path}/`
}
