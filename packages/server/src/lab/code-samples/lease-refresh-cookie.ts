/** In the page: the site has renewed its session cookie, which the request brings by itself. No credential is named. */
export async function refresh(lease: string): Promise<boolean> {
  const headers = { 'content-type': 'application/json' }
  const path = `/countersign/leases/${lease}/refresh`
  const answer = await fetch(path, { method: 'POST', headers, body: '{}' })
  return answer.ok
}
