/**
 * Character classes of the HTTP grammar, as range checks on UTF-16 code units: no regular expression, no
 * table look-up, no allocation. `NaN`, which `charCodeAt` answers beyond the end, belongs to no class.
 */

/** `tchar` of RFC 9110 §5.6.2: what names of schemes, subprotocols and cookies are made of. */
export function isTokenCode(code: number): boolean {
  return (
    (code >= 0x5e && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x23 && code <= 0x27) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x2a ||
    code === 0x2b ||
    code === 0x21 ||
    code === 0x7c ||
    code === 0x7e
  )
}

/** `VCHAR` of RFC 5234: visible ASCII, no blank. */
export function isVisibleCode(code: number): boolean {
  return code > 0x20 && code < 0x7f
}

/** `ALPHA / DIGIT`. */
export function isAlphanumericCode(code: number): boolean {
  return isDigitCode(code) || (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
}

/** `DIGIT`. */
export function isDigitCode(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** `OWS` of RFC 9110 §5.6.3: blank or tab. */
export function isBlankCode(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** `CTL` of RFC 5234: the C0 controls and DEL. */
export function isControlCode(code: number): boolean {
  return code < 0x20 || code === 0x7f
}

/** True when every code unit of `text` is in the class; true for the empty text. */
export function every(text: string, isMember: (code: number) => boolean): boolean {
  for (let at = 0; at < text.length; at++) if (!isMember(text.charCodeAt(at))) return false
  return true
}

/** True for a non-empty `token` of RFC 9110 §5.6.2. */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!isTokenCode(text.charCodeAt(at))) return false
  return text !== ''
}

/** True for non-empty visible ASCII: the shape of every opaque credential. */
export function isVisible(text: string): boolean {
  return text !== '' && hasVisibleOnly(text)
}

/** True when no code unit is anything but visible ASCII; true for the empty text. */
export function hasVisibleOnly(text: string): boolean {
  // A loop of its own: the classes that `every` is called with keep it from being inlined on the hot path.
  for (let at = 0; at < text.length; at++) if (!isVisibleCode(text.charCodeAt(at))) return false
  return true
}

/** True when any code unit is a control character: never in a name, a password or a log line. */
export function hasControl(text: string): boolean {
  return !every(text, (code) => !isControlCode(code))
}

/** `text` from `start` to `end` without blanks and tabs at either end. */
export function trimBlanks(text: string, start = 0, end: number = text.length): string {
  let first = start
  let last = end
  while (first < last && isBlankCode(text.charCodeAt(first))) first++
  while (last > first && isBlankCode(text.charCodeAt(last - 1))) last--
  return text.slice(first, last)
}

/** The position of the first character at or behind `from` that is no blank and no tab. */
export function skipBlanks(text: string, from: number): number {
  let at = from
  while (isBlankCode(text.charCodeAt(at))) at++
  return at
}

/** The value 0–15 of one hexadecimal digit, or -1. */
export function hexValue(code: number): number {
  if (isDigitCode(code)) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** The value 0–255 of the two hexadecimal digits at `at`, or -1 when they are not both there before `end`. */
export function hexPair(text: string, at: number, end: number): number {
  if (at + 2 > end) return -1
  const high = hexValue(text.charCodeAt(at))
  const low = hexValue(text.charCodeAt(at + 1))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}
