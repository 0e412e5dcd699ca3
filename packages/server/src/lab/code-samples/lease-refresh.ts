/** In the page, before the lease ends: a fresh ticket extends the socket that is open. */
export async function refresh(lease: string): Promise<boolean> {
  const headers = { 'content-type': 'application/json' }
  const post = (path: string, body: object): Promise<Response> =>
    fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
  const issued = await post('/countersign/ticket', { audience: 'chat' })
  // The reference of the HTTP interface promises this shape.
  const { ticket } = (await issued.json()) as { readonly ticket: string }
  const answer = await post(`/countersign/leases/${lease}/refresh`, { credential: ticket })
  return answer.ok
}
