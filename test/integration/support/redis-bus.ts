import { randomUUID } from 'node:crypto'
import { localBus } from 'countersign'
import type { Bus, Revocation } from 'countersign'
import type { RedisClientType } from 'redis'

const channel = 'countersign:revocations'

/**
 * A bus over the channel of a Redis that nobody else may write to. Guards of this process hear at once, those of others
 * as soon as Redis delivers; the marks are in the records by then.
 *
 * @param subscriber a client of its own: one that listens can do nothing else
 */
export async function redisBus(publisher: RedisClientType, subscriber: RedisClientType): Promise<Bus> {
  const here = randomUUID()
  const local = localBus()
  await subscriber.subscribe(channel, (text) => {
    // Written by the bus of another process.
    const { from, news } = JSON.parse(text) as { readonly from: string; readonly news: Revocation }
    if (from !== here) local.publish(news)
  })
  return {
    publish: (news) => {
      local.publish(news)
      void publisher.publish(channel, JSON.stringify({ from: here, news }))
    },
    subscribe: (hear) => local.subscribe(hear),
  }
}
