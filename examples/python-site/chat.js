// The page: asks its own application for a ticket, connects with it, and shows what the socket says.

const log = document.querySelector('#log')

const answer = await fetch('/ticket', { method: 'POST' })
if (!answer.ok) {
  log.append(`No ticket: ${answer.status}\n`)
} else {
  const { url, ticket } = await answer.json()
  const address = new URL(url)
  address.searchParams.set('ticket', ticket)
  const socket = new WebSocket(address)
  socket.addEventListener('message', (event) => log.append(`${event.data}\n`))
  socket.addEventListener('close', (event) => log.append(`closed ${event.code} ${event.reason}\n`))
}
