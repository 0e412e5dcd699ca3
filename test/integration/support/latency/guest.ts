/** A client that was let in: it says numbers, writes down those that it hears, and how its socket ended. */
import type { Lease } from 'countersign'
import { WebSocket, type ClientOptions, type RawData } from 'ws'
import { until } from '../../../countersign/support/sockets.ts'
import { Numbered, talkEveryMs, type Place } from './place.ts'
import type { Person } from './town.ts'

/** How a socket ended, at the client. */
export interface End {
  readonly code: number
  readonly reason: string
  /** WAMP: URI of GOODBYE. */
  readonly goodbye: string | undefined
  /** By `performance.now()`. */
  readonly at: number
  /** By the clock that leases go by, ms since the epoch. */
  readonly atMs: number
}

/** What a way in yields. */
export interface Guest {
  readonly person: Person
  readonly place: Place
  readonly socket: WebSocket
  readonly lease: Lease
  /** Numbers that this client has said. */
  readonly said: Numbered
  /** The highest number that it has heard from the application. */
  highest(): number
  /** Says the next number. */
  speak(): void
  readonly closed: Promise<End>
  /** Fingerprint and serial number of the certificate that was shown. */
  readonly certificate: { readonly fingerprint: string; readonly serial: string } | undefined
  /** WAMP: id of the session. */
  readonly wampSession: number | undefined
  /** Whether the close frame has a code. */
  readonly coded: boolean
}

/** How numbers travel, where they are not simply messages. */
export interface Words {
  /** What says this number. */
  say(number: string): string | Buffer
  /** The number that a message says; `NaN`: none. */
  hear(text: string): number
  /** The reason of the end among what was said, where the close frame has none. */
  farewell?(texts: readonly string[]): string | undefined
  /** Whether the close frame says all of it, and no GOODBYE came before. */
  readonly coded?: true
}

/** Numbers as they are; a frame of ours is none. */
export const plainWords: Words = { say: (number) => number, hear: Number, coded: true }

/** A socket whose messages are read from the very first. */
export class Line {
  readonly socket: WebSocket
  readonly texts: string[] = []

  constructor(url: string, protocols: readonly string[], options: ClientOptions) {
    this.socket = new WebSocket(url, [...protocols], { ...options, family: 4 })
    this.socket.on('error', () => undefined)
    // ws delivers Buffers unless told otherwise.
    this.socket.on('message', (data: RawData) => this.texts.push((data as Buffer).toString()))
  }

  async opened(): Promise<void> {
    await until(() => this.socket.readyState !== WebSocket.CONNECTING)
    if (this.socket.readyState !== WebSocket.OPEN) throw new Error('the socket did not open')
  }

  send(text: string | Buffer): void {
    this.socket.send(text)
  }

  /** The first message that fits, once it is there. */
  async heard(fits: (text: string) => boolean): Promise<string> {
    await until(() => this.texts.some(fits) || this.socket.readyState === WebSocket.CLOSED)
    const text = this.texts.find(fits)
    if (text === undefined) throw new Error(`closed, having said ${this.texts.join(' ')}`)
    return text
  }
}

/** Waits until the guard knows this person, and begins to talk. */
export async function admitted(
  line: Line,
  parts: Pick<Guest, 'person' | 'place'> & Partial<Pick<Guest, 'certificate' | 'wampSession'>>,
  words: Words = plainWords,
): Promise<Guest> {
  const { person, place, certificate, wampSession } = parts
  const live = (): Lease | undefined =>
    place.guard.leases(person.subject).find(({ phase }) => phase !== 'pending')
  await until(() => live() !== undefined || line.socket.readyState === WebSocket.CLOSED)
  const lease = live()
  if (lease === undefined) throw new Error(`${person.subject} was not let in at ${place.url}`)
  const said = new Numbered()
  const speak = (): void => {
    if (line.socket.readyState === WebSocket.OPEN) line.send(words.say(said.next()))
  }
  const timer = setInterval(speak, talkEveryMs)
  const closed = ending(line, words)
  void closed.then(() => clearInterval(timer))
  return {
    person,
    place,
    socket: line.socket,
    lease,
    said,
    highest: () => line.texts.reduce((most, text) => Math.max(most, words.hear(text) || 0), 0),
    speak,
    closed,
    certificate,
    wampSession,
    coded: words.farewell === undefined,
  }
}

/** Both have heard each other, unless a short lease was over first: what fails to arrive later would have arrived. */
export async function acquainted({ person, place, lease, highest }: Guest): Promise<void> {
  const { application } = place
  await until(() => (highest() > 0 && application.heard(person.subject).count > 0) || lease.ended)
}

function ending(line: Line, words: Words): Promise<End> {
  return new Promise((resolve) => {
    line.socket.on('close', (code, reason) => {
      const [at, atMs] = [performance.now(), Date.now()]
      const told = words.farewell?.(line.texts)
      const goodbye = words.coded === true || words.farewell !== undefined ? undefined : goodbyeIn(line.texts)
      resolve({ code, reason: told ?? reason.toString(), goodbye, at, atMs })
    })
  })
}

function goodbyeIn(texts: readonly string[]): string | undefined {
  const message: unknown = JSON.parse(texts.at(-1) ?? '[]')
  return Array.isArray(message) && message[0] === 6 ? String(message[2]) : undefined
}
