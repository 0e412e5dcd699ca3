import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Outbox } from '../../../packages/countersign/src/client/outbox.ts'

describe('an outbox', () => {
  test('never holds more messages or bytes than its bounds, and keeps the order', () => {
    const limits = { maxMessages: 5, maxBytes: 64 }
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40 })), (messages) => {
        const outbox = new Outbox(limits)
        const taken = messages.filter((message) => outbox.put(message))
        expect(outbox.length).toBeLessThanOrEqual(limits.maxMessages)
        expect(outbox.bytes).toBeLessThanOrEqual(limits.maxBytes)
        expect(outbox.take()).toEqual(taken)
        expect([outbox.bytes, outbox.length]).toEqual([0, 0])
      }),
    )
  })

  test('counts text in bytes of UTF-8', () => {
    const outbox = new Outbox({ maxMessages: 5, maxBytes: 4 })
    expect(outbox.put('€€')).toBe(false)
    expect(outbox.put('€')).toBe(true)
    expect(outbox.bytes).toBe(3)
  })

  test('keeps a buffer as it was when it was sent', () => {
    const outbox = new Outbox({ maxMessages: 5, maxBytes: 64 })
    const bytes = Uint8Array.of(1, 2, 3, 4)
    outbox.put(bytes.subarray(1, 3))
    outbox.put(bytes.buffer)
    bytes.fill(9)
    const [view, buffer] = outbox.take()
    expect(view).toEqual(Uint8Array.of(2, 3))
    expect(new Uint8Array(buffer as ArrayBuffer)).toEqual(Uint8Array.of(1, 2, 3, 4))
  })
})
