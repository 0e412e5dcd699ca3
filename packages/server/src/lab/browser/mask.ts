/**
 * Hides secrets in lines that people look at: what kind of credential it is stays, its value goes. The page and the
 * recorder of the wire show lines by the same rules.
 */

const dots = '••••'

const rules: readonly (readonly [RegExp, string])[] = [
  [/(\/lab\/guests\/)[\w-]{16,}/g, `$1${dots}`],
  [/\b(cs[tsapck]_)[\w-]+/g, `$1${dots}`],
  [/\beyJ[\w-]*\.[\w-]*\.[\w-]*/g, `eyJ${dots}`],
  [/^(authorization:\s*\w+\s+).*/i, `$1${dots}`],
  [
    /("(?:signature|secret|password|token|access_token|authToken|api_key|credential|guest|ticket|csrf|authorization|sid|pid)"\s*:\s*")(?!\w*•)[^"]*/gi,
    `$1${dots}`,
  ],
  // AUTHENTICATE of WAMP: a signature, or the ticket itself.
  [/^((?:AUTHENTICATE )?\s*\[\s*5\s*,\s*")(?!•)(?:[^"\\]|\\.)*/, `$1${dots}`],
  [/^(sec-websocket-key:\s*).*/i, `$1${dots}`],
  [/\b(base64url\.bearer\.(?:authorization\.k8s\.io|phx)\.)[\w-]+/gi, `$1${dots}`],
  [/\b(countersign\.bearer\.|bearer,\s*)(?!\w*•)[^\s,]+/gi, `$1${dots}`],
  [/(countersign-[\w-]+=)(?!\w*•)[^;\s]+/g, `$1${dots}`],
  [/([?&](?:ticket|token|access_token|auth|csrf|sid)=)(?!\w*•)[^&\s]*/gi, `$1${dots}`],
]

/** Escapes by which a secret would be spelled so that no rule knows it: in URLs, and in JSON. */
const escapes = /%[0-9a-f]{2}|\\u[0-9a-f]{4}/gi

/** Characters that need no escape, without theirs: the others stay as they are written. */
function plain(line: string): string {
  return line.replace(escapes, (written) => {
    const char = String.fromCharCode(parseInt(written.replace(/^\D+/, ''), 16))
    return /[\w.-]/.test(char) ? char : written
  })
}

/** The line without its secrets. Of a `Cookie` field every value goes: any of them may be somebody's session. */
export function mask(line: string): string {
  const known = plain(line)
  const text = /^cookie:/i.test(known) ? known.replace(/=[^;]*/g, `=${dots}`) : known
  return rules.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text)
}
