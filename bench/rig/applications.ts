/** What measured servers do with the sockets that are open. One function for all sockets: a connection costs no closure. */
import type { RawData, WebSocket } from 'ws'
import { burstEnd, burstSize, burstText } from './bursts.ts'
import type { Application } from './protocol.ts'

/** Listeners of `connection`, one for each application. */
export const applications: Readonly<Record<Application, (socket: WebSocket) => void>> = {
  idle: (socket) => void socket.on('message', ignore),
  echo: (socket) => void socket.on('message', sendBack),
  acknowledge: (socket) => void socket.on('message', acknowledge),
  sink: (socket) => void socket.on('message', answerEnds),
  source: (socket) => void socket.on('message', sendBurst),
}

function ignore(): void {
  // An idle application still listens.
}

function sendBack(this: WebSocket, data: RawData, isBinary: boolean): void {
  this.send(data, { binary: isBinary })
}

/** As long as the guard's own answer to a credential that came as JSON. */
const acknowledgement = JSON.stringify({ type: 'auth_ok', expires_in: 900, lease: 'x'.repeat(22) })

function acknowledge(this: WebSocket): void {
  this.send(acknowledgement)
}

function answerEnds(this: WebSocket, data: RawData): void {
  if (data instanceof Buffer && data.length === burstEnd.length) this.send(burstEnd)
}

function sendBurst(this: WebSocket): void {
  for (let at = 0; at < burstSize; at++) this.send(burstText)
}
