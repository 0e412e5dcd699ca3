/** Origins that resemble one: what comparisons by prefix, suffix, pattern or carelessness take for it. */
import { isIP } from 'node:net'

/** One resemblance. */
export interface OriginVariant {
  readonly name: string
  /** `Origin` fields, one each. */
  readonly origins: readonly string[]
  /** Of the same site and so perhaps let in on purpose, or sent by no browser: worth a word, not a finding. */
  readonly harmless: boolean
}

/** Some twenty-five variants of an origin. */
export function originVariants(origin: string): readonly OriginVariant[] {
  const { protocol, hostname, host, port } = new URL(origin)
  const write = (name: string, ...origins: readonly string[]): OriginVariant => ({
    name,
    origins,
    harmless: false,
  })
  const harmless = (name: string, ...origins: readonly string[]): OriginVariant => ({
    name,
    origins,
    harmless: true,
  })
  const at = (otherHost: string): string => `${protocol}//${otherHost}${port === '' ? '' : `:${port}`}`
  const dots = [...hostname.matchAll(/\./g)].map(({ index }) => index)
  const undotted = dots
    .slice(0, 2)
    .map((index) => write(`dot ${dots.indexOf(index) + 1} as a letter`, at(replaceAt(hostname, index))))
  const isName = isIP(hostname.replace(/^\[|\]$/g, '')) === 0
  return [
    write('null', 'null'),
    harmless('empty', ''),
    write('prefix of another name', `${protocol}//${hostname}.origin.invalid`),
    write('suffix of another name', `${protocol}//evil${hostname}${port === '' ? '' : `:${port}`}`),
    write('hyphen before', `${protocol}//evil-${hostname}${port === '' ? '' : `:${port}`}`),
    write('in the user part', `${protocol}//${host}@origin.invalid`),
    write('in the path', `${protocol}//origin.invalid/${host}`),
    write('in the query', `${protocol}//origin.invalid?${host}`),
    write('in the fragment', `${protocol}//origin.invalid#${host}`),
    write('behind a backtick', `${protocol}//${hostname}\`origin.invalid`),
    write('behind an underscore', `${protocol}//${hostname}_origin.invalid`),
    write('behind a backslash', `${protocol}//origin.invalid\\@${host}`),
    write('behind a blank', `${protocol}//origin.invalid ${host}`),
    write('with more behind the port', `${protocol}//${hostname}:${port === '' ? '443' : port}1.invalid`),
    write('another scheme', `ftp://${host}`),
    write('an extension', `chrome-extension://${'a'.repeat(32)}`),
    write('a file', 'file://'),
    write('an address', isName ? `${protocol}//192.0.2.1` : `${protocol}//192.0.2.1:${port}`),
    harmless('two fields, own first', origin, 'https://cswsh.invalid'),
    harmless('two fields, own last', 'https://cswsh.invalid', origin),
    write('a list', `${origin}, https://cswsh.invalid`),
    ...(isName
      ? [
          ...undotted,
          ...(dots.length > 2 ? [write('every dot as a letter', at(hostname.replaceAll('.', 'A')))] : []),
        ]
      : []),
    harmless('another port', `${protocol}//${hostname}:${port === '8443' ? '9443' : '8443'}`),
    harmless('scheme downgrade', `${protocol === 'https:' ? 'http:' : 'https:'}//${host}`),
    ...(isName
      ? [
          harmless('a subdomain', at(`countersign-audit.${hostname}`)),
          harmless('a trailing dot', at(`${hostname}.`)),
        ]
      : []),
    harmless('upper case', origin.toUpperCase()),
  ]
}

function replaceAt(text: string, index: number): string {
  return `${text.slice(0, index)}A${text.slice(index + 1)}`
}
