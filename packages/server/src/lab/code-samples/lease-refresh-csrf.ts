/** In the page, before the lease ends: a fresh token as credential; its cookie comes by itself. */
export async function refresh(lease: string): Promise<boolean> {
  const headers = { 'content-type': 'application/json' }
  const post = (path: string, body: object): Promise<Response> =>
    fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
  const issued = await post('/countersign/preauth', { audience: 'chat' })
  // The reference of the HTTP interface promises this shape.
  const { csrf } = (await issued.json()) as { readonly csrf: string }
  const answer = await post(`/countersign/leases/${lease}/refresh`, { credential: csrf })
  return answer.ok
}
