const dots = '••••'

/** What a secret looks like, and what of it may be shown: its kind, never its value. */
const rules: readonly (readonly [RegExp, string])[] = [
  [/\b(cs[tsapck]_)[\w-]+/g, `$1${dots}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, `eyJ${dots}`],
  [/(countersign-[\w-]+=)(?!cs[a-z]_)[^;\s]+/g, `$1${dots}`],
  [/("(?:secret|password|signature|csrf)"\s*:\s*")[^"]*"/g, `$1${dots}"`],
]

/** A line of an exchange without its secrets. */
export function maskSecrets(line: string): string {
  return rules.reduce((text, [pattern, shown]) => text.replace(pattern, shown), line)
}

/** Letters, digits, `-` and `_`, as many as 32 random bytes give: the shape of a credential that nobody issued. */
export function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
