import type { Autobahn } from './autobahn.ts'

declare global {
  var autobahn: Autobahn | undefined
}

/** Where the site serves the package's own file. */
const source = '/assets/lab/autobahn.min.js'

let loading: Promise<Autobahn> | undefined

/** The library; fetched when the first case needs it. @throws Error when the site has none */
export function loadAutobahn(): Promise<Autobahn> {
  loading ??= load()
  return loading
}

/** A classic script: it says what it is by a global name. */
async function load(): Promise<Autobahn> {
  if (globalThis.autobahn === undefined) await loadScript()
  if (globalThis.autobahn === undefined) throw new Error('the site serves no autobahn-browser')
  return globalThis.autobahn
}

function loadScript(): Promise<void> {
  return new Promise((resolve) => {
    const script = document.createElement('script')
    script.src = source
    script.addEventListener('load', () => resolve(), { once: true })
    script.addEventListener('error', () => resolve(), { once: true })
    document.head.append(script)
  })
}
