/** The head of an HTTP/1.1 answer (RFC 9112), read within bounds from whatever a target sends. */

/** A header field. */
export type Header = readonly [name: string, value: string]

/** A head that was read, and what came behind it. */
export interface Head {
  readonly kind: 'head'
  readonly status: number
  readonly headers: readonly Header[]
  /** Bytes behind the head. */
  readonly rest: Buffer
}

/** Longest head, bytes. */
export const maxHeadBytes = 32_768

/** Reads a head. @returns `more` while it is not whole, `garbage` for what is none */
export function readHead(bytes: Buffer): Head | 'more' | 'garbage' {
  const end = bytes.indexOf('\r\n\r\n')
  const start = bytes.subarray(0, 9).toString('latin1')
  if (!'HTTP/1.1 '.startsWith(start) && !'HTTP/1.0 '.startsWith(start)) return 'garbage'
  if (end === -1) return bytes.length > maxHeadBytes ? 'garbage' : 'more'
  if (end > maxHeadBytes) return 'garbage'
  const [first = '', ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]
  if (status === undefined) return 'garbage'
  const headers = fields.map((field): Header => {
    const colon = field.indexOf(':')
    return [field.slice(0, Math.max(colon, 0)), field.slice(colon + 1).trim()]
  })
  return { kind: 'head', status: Number(status), headers, rest: bytes.subarray(end + 4) }
}

/** The first value of a field. */
export function headerOf(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([one]) => one.toLowerCase() === name)?.[1]
}

/** All values of a field. */
export function headersOf(headers: readonly Header[], name: string): readonly string[] {
  return headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value)
}
