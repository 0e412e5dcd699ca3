/** The command line: where the chat listens, and whether it is the insecure twin. */
import { parseArgs } from 'node:util'

/** What the program was asked for. */
export interface Settings {
  readonly port: number
  readonly host: string
  /** The twin with the planted holes. */
  readonly insecure: boolean
  /** How long a login is good, ms. */
  readonly sessionMs: number
}

/** The command line, or the words that say what is wrong with it. */
export function readSettings(args: readonly string[]): Settings | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '8080' },
        host: { type: 'string', default: '127.0.0.1' },
        session: { type: 'string', default: '28800' },
        insecure: { type: 'boolean', default: false },
      },
    })
    const [port, seconds] = [wholeNumber(values.port), wholeNumber(values.session)]
    if (port === undefined || port > 65_535) return '--port: a number from 0 to 65535'
    if (seconds === undefined || seconds < 1 || seconds > 43_200) return '--session: 1 to 43200 seconds'
    if (values.insecure && !isLoopback(values.host))
      return `--insecure runs on loopback only, and ${JSON.stringify(values.host)} is not: it is made to be attacked`
    return { port, host: values.host, insecure: values.insecure, sessionMs: seconds * 1_000 }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Whether only this machine reaches an address: of names `localhost` alone, which is looked at again once it is bound. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** Where a site is reached: what `Host` and `Origin` may say. */
export interface Place {
  readonly hosts: readonly string[]
  readonly origins: readonly string[]
  readonly url: string
}

/** The names of a port: the host as it was given, and on loopback the others that mean it. */
export function placeOf(host: string, port: number): Place {
  const names = new Set(isLoopback(host) ? [host, '127.0.0.1', 'localhost', '::1'] : [host])
  const hosts = [...names].map((name) => `${name.includes(':') ? `[${name}]` : name}:${String(port)}`)
  const origins = hosts.map((name) => `http://${name}`)
  return { hosts, origins, url: `${origins[0] ?? ''}/` }
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined
}
