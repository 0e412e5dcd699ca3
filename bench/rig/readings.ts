/** What a measured process tells about itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Memory } from './protocol.ts'

/** CPU time so far, all threads, µs. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** TCP connections of this process, whatever they are: measured servers open none themselves. */
export function connections(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}

/**
 * Two readings. The second, after collections that also give back the young generation and compact sparse pages, is what
 * connections retain. The first shows besides how far the collector had let the heap grow when it was asked.
 * @throws Error without `--expose-gc`
 */
export async function measureMemory(): Promise<Omit<Memory, 'sockets'>> {
  await collect('regular')
  const foundRssBytes = process.memoryUsage.rss()
  await collect('last-resort')
  const { rss, heapUsed } = process.memoryUsage()
  return { foundRssBytes, rssBytes: rss, heapBytes: heapUsed }
}

/** Collects whatever is not retained. @throws Error without `--expose-gc` */
export async function collect(flavor: 'regular' | 'last-resort'): Promise<void> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('start with --expose-gc')
  for (let round = 0; round < 3; round++) {
    gc({ type: 'major', execution: 'sync', flavor })
    await sleep(100)
  }
}
