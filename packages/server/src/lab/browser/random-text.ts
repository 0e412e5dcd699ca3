/** Letters, digits, `-` and `_`, as many as 32 random bytes give: the shape of a credential that nobody issued. */
export function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
