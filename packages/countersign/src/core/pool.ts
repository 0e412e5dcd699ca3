/**
 * The waiting room before acceptance, as arithmetic: who may wait, who must go when it is full. Sockets that have said
 * nothing, sockets in mid-conversation, sockets whose verdict is pending and refused ones that still close all count.
 */

/** Caps of the pool. */
export interface PoolLimits {
  /** Waiting sockets in all. */
  readonly total: number
  /** Waiting sockets of one address. */
  readonly perSource: number
  /** Waiting sockets of one subnet (/64 of IPv6; an IPv4 address is its own). */
  readonly perSubnet: number
  /** Of `total`, those that are in the middle of a conversation. */
  readonly talking: number
}

/** A socket in the pool. Made by the adapter; `source` and `subnet` decide whose share it takes. */
export interface Waiting {
  readonly source: string
  readonly subnet: string
  readonly sinceMs: number
  /** Called when it must go, to make room for another or because the guard closes; it has left the pool already. */
  evict(reason: 'overloaded' | 'shutting_down'): void
}

/** A socket younger than this is not dropped while another source is over its share. */
const youngMs = 1_000

/** Silent sockets of one source. */
interface Share {
  /** In order of arrival. */
  readonly silent: Set<Waiting>
  /** The first of them: a full pool asks for it at every arrival, of every source. */
  oldest: Waiting
  /** One object for all sources of a subnet. */
  readonly subnet: Crowd
}

/** How many sockets of a subnet are in the pool, silent and talking. */
interface Crowd {
  count: number
}

/** The pool. Membership is the adapter's duty: whoever enters leaves. */
export class Pool {
  readonly limits: PoolLimits
  /** Silent sockets by source. */
  readonly #silent = new Map<string, Share>()
  readonly #talking = new Set<Waiting>()
  /** Pending and refused sockets. */
  readonly #others = new Set<object>()
  /** Silent and talking sockets by source, and by subnet. */
  readonly #sources = new Map<string, number>()
  readonly #subnets = new Map<string, Crowd>()
  #silentCount = 0
  /** Young sockets that were dropped for others which hold as little, in this second. */
  #turned = 0
  #turnSecond = 0

  constructor(limits: PoolLimits) {
    this.limits = limits
  }

  /** All of them. Never more than `limits.total`. */
  get size(): number {
    return this.#silentCount + this.#talking.size + this.#others.size
  }

  /** Whether refusals should be told by HTTP alone, so that they do not occupy the pool. */
  get crowded(): boolean {
    return this.size * 2 >= this.limits.total
  }

  /**
   * Lets a silent socket in, dropping another where a cap demands it.
   * @returns `false`: no room, refuse with `overloaded`
   */
  enter(waiting: Waiting): boolean {
    if (!this.#makeRoom(waiting)) return false
    add(this.#sources, waiting.source, 1)
    const subnet = this.#crowdOf(waiting)
    subnet.count++
    const share = this.#silent.get(waiting.source)
    if (share === undefined) {
      this.#silent.set(waiting.source, { silent: new Set([waiting]), oldest: waiting, subnet })
    } else share.silent.add(waiting)
    this.#silentCount++
    return true
  }

  /**
   * Tells that a silent socket has begun to speak: it is not dropped for the silent any more, but such have a cap of
   * their own. Where that is reached, the oldest of the source that holds most of them goes, unless it has just come and
   * the newcomer's source holds as many: else whoever has a few addresses could keep all conversations for itself.
   * @returns `false`: no room, refuse with `overloaded`
   */
  speak(waiting: Waiting): boolean {
    if (this.#talking.has(waiting)) return true
    if (this.#silent.get(waiting.source)?.silent.has(waiting) !== true) return false
    if (this.#talking.size >= this.limits.talking && !drop(this, this.#greediest(waiting))) return false
    this.#leaveSilent(waiting)
    this.#talking.add(waiting)
    return true
  }

  /** Takes a socket out; nothing happens when it is not in. */
  leave(waiting: Waiting): void {
    if (!this.#talking.delete(waiting) && !this.#leaveSilent(waiting)) return
    add(this.#sources, waiting.source, -1)
    const subnet = this.#crowdOf(waiting)
    if (--subnet.count === 0) this.#subnets.delete(waiting.subnet)
  }

  /** Counts a socket whose verdict is pending, or a refused one that still closes, until `vacate`. @returns `false`: no room */
  occupy(socket: object): boolean {
    if (this.size >= this.limits.total) return false
    this.#others.add(socket)
    return true
  }

  /** Gives its place back; nothing happens when it has none. */
  vacate(socket: object): void {
    this.#others.delete(socket)
  }

  /** Sends everyone away who waits or talks. */
  close(): void {
    const all = [...this.#talking, ...[...this.#silent.values()].flatMap(({ silent }) => [...silent])]
    for (const waiting of all) {
      this.leave(waiting)
      waiting.evict('shutting_down')
    }
  }

  /**
   * Whoever exceeds a share pays for it from that share; only a full pool costs others. In a full pool a
   * newcomer whose source holds no less than the fullest one does not drive out a socket that has just come:
   * a flood would otherwise clear the room of everyone else.
   */
  #makeRoom(waiting: Waiting): boolean {
    if ((this.#sources.get(waiting.source) ?? 0) >= this.limits.perSource) {
      return drop(this, this.#silent.get(waiting.source)?.oldest)
    }
    if ((this.#subnets.get(waiting.subnet)?.count ?? 0) >= this.limits.perSubnet) {
      return drop(
        this,
        this.#foremost((one) => one.subnet === waiting.subnet),
      )
    }
    if (this.size < this.limits.total) return true
    const oldest = this.#foremost(() => true)
    if (oldest === undefined) return false
    if (waiting.sinceMs - oldest.sinceMs >= youngMs) return drop(this, oldest)
    const [own, most] = [this.#silentOf(waiting), this.#silentOf(oldest)]
    if (this.#silent.size > 1 && own >= most) return false
    if (own + 1 >= most && !this.#mayTurnOver(waiting.sinceMs)) return false
    return drop(this, oldest)
  }

  /**
   * Where nobody holds more than a newcomer would, room is made as often in a second as there are places: a socket has a
   * second then to begin to speak, and opening sockets that are dropped at once costs no more than that.
   */
  #mayTurnOver(now: number): boolean {
    const second = Math.floor(now / youngMs)
    if (second !== this.#turnSecond) {
      this.#turnSecond = second
      this.#turned = 0
    }
    return ++this.#turned <= this.limits.total
  }

  /**
   * The oldest silent socket of the source that holds most; of several sources, of the one whose subnet holds most, then
   * the oldest. Bounded by the pool itself; runs only when a cap is reached, but then at every arrival: it looks nothing up.
   */
  #foremost(counts: (waiting: Waiting) => boolean): Waiting | undefined {
    let best: Share | undefined
    for (const share of this.#silent.values()) {
      if ((best === undefined || exceeds(share, best)) && counts(share.oldest)) best = share
    }
    return best?.oldest
  }

  /** The oldest in conversation of the source that holds most of those, if it may be dropped for the newcomer. */
  #greediest(newcomer: Waiting): Waiting | undefined {
    const bySource = new Map<string, Waiting[]>()
    for (const one of this.#talking) {
      const own = bySource.get(one.source)
      if (own === undefined) bySource.set(one.source, [one])
      else own.push(one)
    }
    const own = bySource.get(newcomer.source)?.length ?? 0
    let most: readonly Waiting[] = []
    for (const those of bySource.values()) if (those.length > most.length) most = those
    const oldest = most[0]
    const young = oldest !== undefined && newcomer.sinceMs - oldest.sinceMs < youngMs
    return young && own + 1 >= most.length ? undefined : oldest
  }

  #silentOf(waiting: Waiting): number {
    return this.#silent.get(waiting.source)?.silent.size ?? 0
  }

  /** The crowd of its subnet, made for the first that arrives. */
  #crowdOf({ subnet }: Waiting): Crowd {
    const known = this.#subnets.get(subnet)
    if (known !== undefined) return known
    const crowd = { count: 0 }
    this.#subnets.set(subnet, crowd)
    return crowd
  }

  #leaveSilent(waiting: Waiting): boolean {
    const share = this.#silent.get(waiting.source)
    if (share === undefined || !share.silent.delete(waiting)) return false
    const next = share.oldest === waiting ? first(share.silent) : share.oldest
    if (next === undefined) this.#silent.delete(waiting.source)
    else share.oldest = next
    this.#silentCount--
    return true
  }
}

function exceeds(one: Share, other: Share): boolean {
  const more = one.silent.size - other.silent.size
  if (more !== 0) return more > 0
  const crowd = one.subnet.count - other.subnet.count
  return crowd === 0 ? one.oldest.sinceMs < other.oldest.sinceMs : crowd > 0
}

/** Counters that are not there stand for 0, so that the map is never larger than the pool. */
function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count <= 0) counts.delete(key)
  else counts.set(key, count)
}

/** It has left before it is told, so that it does not leave twice. */
function drop(pool: Pool, oldest: Waiting | undefined): boolean {
  if (oldest === undefined) return false
  pool.leave(oldest)
  oldest.evict('overloaded')
  return true
}

function first(set: Set<Waiting>): Waiting | undefined {
  return set.values().next().value
}
