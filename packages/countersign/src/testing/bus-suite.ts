/** What every bus promises. */
import type { Bus, Revocation } from '../core/ports.ts'
import { sampleMark } from './rows.ts'
import { casesOf, expectEqual, type SuiteCase } from './suite.ts'

const news: Revocation = { ...sampleMark({ atMs: 1_000 }), sparesNewer: false }
const laterNews: Revocation = {
  ...sampleMark({ kind: 'session', value: 's-1', atMs: 2_000, enforceAtMs: 12_000, reason: 'logged_out' }),
  sparesNewer: true,
}

/**
 * The contract of `Bus` between subscribers of one process, for an implementation of anyone's. Delivery
 * there is synchronous: when `publish` returns, every guard of the process has ended what the news names.
 * @param open a fresh bus for each case
 */
export function busSuite(open: () => Bus): readonly SuiteCase[] {
  return casesOf(cases, open)
}

/** Between subscribers of one process. What crosses processes has no common clock to be tested by. */
const cases: Readonly<Record<string, (bus: Bus) => void>> = {
  'delivers to every subscriber before publishing returns'(bus) {
    const heard: unknown[] = []
    bus.subscribe((told) => heard.push(['one', told]))
    bus.subscribe((told) => heard.push(['two', told]))
    bus.publish(news)
    expectEqual(heard, [['one', news], ['two', news]], 'what was heard') // prettier-ignore
  },
  'keeps the order of news'(bus) {
    const heard = listener(bus)
    bus.publish(news)
    bus.publish(laterNews)
    expectEqual(heard, [news, laterNews], 'what was heard')
  },
  'delivers nothing to those who left, and nothing from before they came'(bus) {
    const gone: Revocation[] = []
    bus.subscribe((told) => gone.push(told))()
    bus.publish(news)
    const late = listener(bus)
    bus.publish(laterNews)
    expectEqual([gone, late], [[], [laterNews]], 'what was heard')
  },
  'lets a function that subscribed twice leave once'(bus) {
    let count = 0
    const hear = (): void => void count++
    const leave = bus.subscribe(hear)
    bus.subscribe(hear)
    leave()
    leave()
    bus.publish(news)
    expectEqual(count, 1, 'deliveries')
  },
  'delivers to the others when one subscriber throws'(bus) {
    const before = listener(bus)
    bus.subscribe(() => {
      throw new Error('a subscriber failed')
    })
    const after = listener(bus)
    try {
      bus.publish(news)
    } catch {
      // Whether the publisher is told is the bus's own affair.
    }
    expectEqual([before, after], [[news], [news]], 'what was heard')
  },
  'delivers nothing to who was unsubscribed during the delivery'(bus) {
    let leave = (): void => {}
    bus.subscribe(() => leave())
    const heard: Revocation[] = []
    leave = bus.subscribe((told) => heard.push(told))
    bus.publish(news)
    expectEqual(heard, [], 'what was heard')
  },
  'spares who subscribes during the delivery the news of that moment'(bus) {
    const heard: Revocation[] = []
    const leave = bus.subscribe(() => {
      leave()
      bus.subscribe((told) => heard.push(told))
    })
    bus.publish(news)
    bus.publish(laterNews)
    expectEqual(heard, [laterNews], 'what was heard')
  },
}

/** Subscribes. @returns what it hears, as it comes */
function listener(bus: Bus): readonly Revocation[] {
  const heard: Revocation[] = []
  bus.subscribe((told) => heard.push(told))
  return heard
}
