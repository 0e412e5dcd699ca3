/** A bound on waiting for what the application answers. */
import type { Clock } from './ports.ts'

/** What is awaited, and for how long. */
export interface Bounded<T> {
  readonly awaited: PromiseLike<T>
  readonly withinMs: number
  /** Stands in for an answer that does not come in time, and for a rejection. */
  readonly otherwise: T
}

/** The answer, within its time. Whatever comes later changes nothing. Never rejects. */
export function answerInTime<T>(clock: Clock, { awaited, withinMs, otherwise }: Bounded<T>): Promise<T> {
  return new Promise((resolve) => {
    const stop = clock.every(Math.max(1, withinMs), () => settle(otherwise))
    const settle = (answer: T): void => {
      stop()
      resolve(answer)
    }
    awaited.then(settle, () => settle(otherwise))
  })
}
