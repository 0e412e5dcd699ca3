/** How the guards of one process hear each other. */
import type { Bus, Revocation } from '../core/ports.ts'

/**
 * A bus within this process. `publish` delivers before it returns, to everyone who was subscribed when it began and
 * still is. A subscriber that throws does not keep the others from hearing: what it threw is thrown to the publisher
 * once all have heard.
 */
export function localBus(): Bus {
  const subscriptions = new Set<{ readonly hear: (news: Revocation) => void }>()
  return {
    publish(news) {
      const failures: unknown[] = []
      // Who subscribes while the news is delivered hears the next one.
      const listening = [...subscriptions]
      for (const subscription of listening) {
        if (!subscriptions.has(subscription)) continue
        try {
          subscription.hear(news)
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, 'bus: subscribers failed to hear the news')
    },
    subscribe(hear) {
      // An object of its own: the same function may be subscribed twice and leave once.
      const subscription = { hear }
      subscriptions.add(subscription)
      return () => void subscriptions.delete(subscription)
    },
  }
}
