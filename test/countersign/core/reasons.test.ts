import { describe, expect, test } from 'vitest'
import {
  reasons,
  type Advice,
  type Reason,
  type Refusal,
} from '../../../packages/countersign/src/core/reasons.ts'
import { isValidCloseCode } from '../../../packages/countersign/src/wire/close.ts'

const rows = Object.entries(reasons) as [Reason, Refusal][]

describe('the table of reasons', () => {
  test('has no two retry policies under one close code', () => {
    const advices = new Map<number, Advice>()
    for (const [, { close, advice }] of rows) {
      if (close === undefined) continue
      expect(advices.get(close) ?? advice).toBe(advice)
      advices.set(close, advice)
    }
  })

  test.each(rows)('says %s in codes that exist', (reason, row) => {
    expect(row.close === undefined || isValidCloseCode(row.close)).toBe(true)
    expect(row.status === undefined || (row.status >= 400 && row.status < 600)).toBe(true)
    expect(reason.length).toBeLessThanOrEqual(123)
  })

  test('has a way to tell every reason', () => {
    for (const [, row] of rows) expect(row.status ?? row.close).toBeDefined()
  })

  test('tells wrong, unknown, spent and expired alike over HTTP', () => {
    expect(reasons.expired_credential.body).toBe(reasons.invalid_credential.body)
    expect(reasons.expired_credential.status).toBe(reasons.invalid_credential.status)
    expect(reasons.expired_credential.close).toBe(reasons.invalid_credential.close)
  })

  test.each(['forbidden_origin', 'insecure_transport', 'wrong_host', 'overloaded'] as const)(
    'tells %s by HTTP to everyone',
    (reason) => {
      expect(reasons[reason].tellBrowser).toBe(false)
    },
  )

  test.each([
    ['missing_credential', 401, 3000],
    ['expired_credential', 401, 3000],
    ['invalid_credential', 401, 3000],
    ['lease_expired', undefined, 3000],
    ['revoked', 403, 3003],
    ['logged_out', 403, 3003],
    ['forbidden', 403, 3003],
    ['forbidden_origin', 403, undefined],
    ['insecure_transport', 403, undefined],
    ['wrong_host', 421, undefined],
    ['authentication_timeout', 408, 3008],
    ['too_many_attempts', 429, 4429],
    ['overloaded', 503, 4503],
    ['superseded', undefined, 4409],
    ['shutting_down', 503, 1001],
    ['protocol_violation', 400, 1002],
    ['message_too_big', 413, 1009],
    ['internal', 500, 1011],
  ] as const)('says %s as %s over HTTP and %s on a socket', (reason, status, close) => {
    expect(reasons[reason]).toMatchObject({ status, close })
  })
})
