/** A guarded server of one framework, as every test of the suite opens it, and clients that speak its protocol. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import {
  authorization,
  cookie,
  createGuard,
  firstMessage,
  memory,
  query,
  subprotocol,
  type Guard,
  type GuardOptions,
  type JournalEntry,
  type Lease,
  type Policy,
} from '../../../packages/countersign/src/index.ts'
import { apiKey, session, ticket } from '../../../packages/countersign/src/methods/index.ts'
import { pageOrigin } from '../support/guard.ts'
import { call, frame, until, type Call, type Caller, type RawSocket } from '../support/sockets.ts'
import { plainSpeech, type Speech } from './speech.ts'

/** What an application of these tests does with a socket: says who came, and notes what it hears. */
export interface Visit {
  readonly lease: Lease
  /** Everything that the framework lets the application see of the request, as one text. */
  readonly seen: string
  readonly heard: string[]
}

/** How a server of one framework is set up. */
export interface Setting {
  readonly guard: Guard
  /** For `messages` of the adapter, where it has that option. */
  readonly messages: { readonly messages?: Policy }
  /**
   * What the application's handler does, at once: the socket says hello, and what arrives is noted.
   * @param seen the framework's request, and what else secrets could be in
   * @returns to be called with each message
   */
  greet(lease: Lease, seen: readonly unknown[], send: (text: string) => void): (text: string) => void
}

/** A server that is not listening yet. */
export interface Framework {
  readonly server: Server
  /** As its users close it; sockets may still be open. */
  close(): Promise<void> | void
}

/** A framework's name in the table of differences, and how a server of it is made: it serves sockets at `/chat`. */
export interface Adapter {
  readonly name: string
  /** @default texts as they are */
  readonly speech?: Speech
  open(setting: Setting): Promise<Framework> | Framework
}

/** A server that listens. */
export interface Site extends Framework {
  readonly guard: Guard
  readonly speech: Speech
  readonly port: number
  readonly visits: Visit[]
  readonly journal: JournalEntry[]
}

/** What a test wants otherwise than the suite has it. */
export interface SiteOptions extends Partial<GuardOptions> {
  readonly messages?: Policy
}

/** Opens a site of one adapter. */
export type Open = (options?: SiteOptions) => Promise<Site>

/** A site whose leases end at their very instant unless a test says otherwise; gone when the test is. */
export async function openSite(adapter: Adapter, options: SiteOptions = {}): Promise<Site> {
  const { messages, ...guarding } = options
  const journal: JournalEntry[] = []
  const visits: Visit[] = []
  const guard = createGuard({
    records: memory(),
    origins: [pageOrigin],
    accept: [
      ticket({ from: [query('ticket'), subprotocol(), firstMessage()] }),
      session({ from: cookie('sid') }),
      apiKey({ from: authorization('Bearer') }),
    ],
    journal: { record: (entry) => void journal.push(entry) },
    ...guarding,
    limits: { jitter: 0, graceMs: 0, warnMs: 0, lingerMs: 300, ...guarding.limits },
  })
  const framework = await adapter.open({
    guard,
    messages: messages === undefined ? {} : { messages },
    greet(lease, seen, send) {
      const heard: string[] = []
      visits.push({ lease, heard, seen: seen.map((one) => inspect(one, { depth: 4 })).join('\n') })
      send(`hello ${lease.principal.id}`)
      return (text) => heard.push(text)
    },
  })
  framework.server.listen(0, '127.0.0.1')
  await once(framework.server, 'listening')
  onTestFinished(async () => {
    guard.close()
    await framework.close()
  })
  const { port } = framework.server.address() as AddressInfo
  return { ...framework, guard, speech: adapter.speech ?? plainSpeech, port, visits, journal }
}

/** A fresh ticket of alice's. */
export async function ticketOf({ guard }: Pick<Site, 'guard'>, leaseMs = 900_000): Promise<string> {
  return (await guard.issue.ticket({ subject: 'alice', roles: ['member'], leaseMs })).ticket
}

/** Where it is shown in the query. */
export async function pathOf(site: Site, leaseMs?: number): Promise<string> {
  return `/chat?room=1&ticket=${await ticketOf(site, leaseMs)}`
}

/** Calls as clients of this framework do, with their own subprotocols before others. */
export function callAt(site: Site, options: Call = {}): Caller {
  const protocols = [...site.speech.protocols, ...(options.protocols ?? [])]
  return call(site, { ...options, protocols })
}

/** Calls at the place where a first message brings the credential. @returns the caller, open */
export async function callSilently(site: Site, path: string = site.speech.path): Promise<Caller> {
  const caller = callAt(site, { path })
  await caller.outcome
  return caller
}

/** Waits until the application has the socket and the client its greeting. */
export async function expectGreeted(site: Site, caller: Caller): Promise<Visit> {
  expect(await caller.outcome).toMatchObject({ kind: 'open' })
  return expectHello(site, caller, [...site.speech.opening, ...site.speech.ask])
}

/** As `expectGreeted`, for a client that has said its first message. */
export async function expectGreetedByMessage(site: Site, caller: Caller): Promise<Visit> {
  if (site.speech.acknowledged) await until(() => caller.frames.length > 0)
  return expectHello(site, caller, site.speech.ask)
}

const greeted = ({ frames }: Pick<Caller, 'frames'>): boolean =>
  frames.some((text) => text.includes('hello alice'))

async function expectHello(site: Site, caller: Caller, words: Speech['ask']): Promise<Visit> {
  for (const [index, said] of words.entries()) {
    if (index > 0) await until(() => caller.frames.length >= index)
    caller.socket.send(said)
  }
  await until(() => greeted(caller))
  if (site.speech.terse) expect(caller.frames).toEqual(['hello alice'])
  const visit = site.visits.at(-1)
  if (visit === undefined) throw new Error('nobody came in')
  expect(visit.lease).toMatchObject({ phase: 'live', principal: { id: 'alice' } })
  return visit
}

/** Says by hand, in frames, what a client says until it is greeted. */
export async function expectGreetedRaw(site: Site, raw: RawSocket): Promise<Visit> {
  await raw.heard('\r\n\r\n')
  for (const said of [...site.speech.opening, ...site.speech.ask]) {
    const before = raw.text().length
    raw.socket.write(frame(said))
    await until(() => raw.text().length > before)
  }
  await raw.heard('hello alice')
  const visit = site.visits.at(-1)
  if (visit === undefined) throw new Error('nobody came in')
  return visit
}

/** Says things to the application. */
export function say(site: Site, caller: Caller, ...texts: readonly string[]): void {
  for (const text of texts) caller.socket.send(site.speech.say(text))
}

/** Nobody was let in. */
export function expectNobody(site: Site): void {
  expect(site.visits).toEqual([])
  expect(site.guard.leases()).toEqual([])
}
