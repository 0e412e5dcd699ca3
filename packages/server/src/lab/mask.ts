/** Hides secrets in lines that people look at: what kind of credential it is stays, its value goes. */

const dots = '••••'

const rules: readonly (readonly [RegExp, string])[] = [
  [/\b(cs[tsapck]_)[\w-]+/g, `$1${dots}`],
  [/\beyJ[\w-]*\.[\w-]*\.[\w-]*/g, `eyJ${dots}`],
  [/^(authorization:\s*\w+\s+).*/i, `$1${dots}`],
  [/("(?:signature|secret|password|token|access_token)"\s*:\s*")[^"]*"/g, `$1${dots}"`],
  [/^(sec-websocket-key:\s*).*/i, `$1${dots}`],
]

/** The line without its secrets. */
export function mask(line: string): string {
  return rules.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line)
}
