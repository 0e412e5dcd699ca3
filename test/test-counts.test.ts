import { describe, expect, test } from 'vitest'
import { addCounts, countReport, countsLine, noCounts } from '../tools/test-counts.ts'

const file = (
  status: string,
  ...statuses: string[]
): { name: string; status: string; assertionResults: { status: string; fullName: string }[] } => ({
  name: 'a.test.ts',
  status,
  assertionResults: statuses.map((each, index) => ({ status: each, fullName: `test ${String(index)}` })),
})

describe('the closing line of a test run', () => {
  test('adds up what passed, failed and was skipped in all files', () => {
    const counts = countReport({
      testResults: [file('passed', 'passed', 'pending'), file('failed', 'failed', 'passed', 'todo')],
    })
    expect(countsLine(counts)).toBe('2 passed, 1 failed, 2 skipped')
    expect(counts.skippedNames).toEqual(['test 1', 'test 2'])
  })

  test('counts a file that fails before its first test as one failure', () => {
    expect(countReport({ testResults: [file('failed')] })).toMatchObject({
      failed: 1,
      failures: ['a.test.ts'],
    })
  })

  test('names what failed, and the first line of why', () => {
    const assertionResults = [
      {
        status: 'failed',
        fullName: 'adds',
        failureMessages: ['AssertionError: 1 is not 2\n    at a.test.ts:3'],
      },
      { status: 'failed', fullName: 'hooks', failureMessages: null },
    ]
    const { failures } = countReport({
      testResults: [{ name: 'a.test.ts', status: 'failed', assertionResults }],
    })
    expect(failures).toEqual(['a.test.ts: adds: AssertionError: 1 is not 2', 'a.test.ts: hooks: '])
  })

  test('counts a failed file whose tests all passed as one failure', () => {
    expect(countReport({ testResults: [file('failed', 'passed')] })).toMatchObject({ passed: 1, failed: 1 })
  })

  test('adds two runs', () => {
    const one = countReport({ testResults: [file('passed', 'passed')] })
    expect(addCounts(one, addCounts(noCounts, one)).passed).toBe(2)
  })
})
