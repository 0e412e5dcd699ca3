import { describe, expect, test } from 'vitest'
import {
  ask,
  drive,
  isThenable,
  settle,
  type Talk,
  type Turn,
} from '../../../packages/countersign/src/core/drive.ts'
import { hash, hear, random } from '../../../packages/countersign/src/core/ask.ts'
import { MisuseError, OutageError } from '../../../packages/countersign/src/core/errors.ts'
import type { Answers } from '../../../packages/countersign/src/core/ports.ts'
import type { Hash } from '../../../packages/countersign/src/core/records.ts'

/** A table in which only two questions have an answer. */
function answersWith(table: Partial<Answers>): Answers {
  return table as Answers
}

function* twoQuestions(): Talk<string> {
  const one = yield* hash('a')
  const two = yield* random(1)
  return `${one} ${two}`
}

const now = answersWith({ hash: () => 'h' as Hash, random: () => 'r' })

describe('a conversation', () => {
  test('is over at once when every port answers at once', () => {
    expect(drive(twoQuestions(), now)).toEqual({ kind: 'done', value: 'h r' })
  })

  test('is a promise from the first port that answers later', async () => {
    const later = answersWith({ ...now, random: () => Promise.resolve('r') })
    const turn = drive(twoQuestions(), later)
    expect(isThenable(turn)).toBe(true)
    expect(await turn).toEqual({ kind: 'done', value: 'h r' })
  })

  test('waits for thenables that are no promises, and takes only their first word', async () => {
    const hasty: PromiseLike<string> = {
      // oxlint-disable-next-line unicorn/no-thenable -- what a query builder looks like
      then: ((use: (text: string) => void) => {
        use('first')
        use('second')
        throw new Error('and then fails')
      }) as never,
    }
    const turn = await drive(
      twoQuestions(),
      answersWith({ ...now, random: () => hasty as unknown as string }),
    )
    expect(turn).toEqual({ kind: 'done', value: 'h first' })
  })

  test.each([
    [
      'throws',
      () => {
        throw new OutageError('records_unavailable', 'gone')
      },
    ],
    ['rejects', () => Promise.reject(new OutageError('records_unavailable', 'gone'))],
  ])('catches where it asked when a port %s', async (_how, port) => {
    function* careful(): Talk<string> {
      try {
        yield* hash('a')
        return 'unreachable'
      } catch (error) {
        return `${(error as Error).name} then ${yield* random(1)}`
      }
    }
    const turn = await drive(careful(), answersWith({ ...now, hash: port }))
    expect(turn).toEqual({ kind: 'done', value: 'OutageError then r' })
  })

  test('throws what it does not catch itself', async () => {
    const failing = answersWith({
      hash: () => {
        throw new Error('gone')
      },
    })
    expect(() => drive(twoQuestions(), failing)).toThrow('gone')
    const later = answersWith({ hash: () => Promise.reject(new Error('gone later')) })
    await expect(drive(twoQuestions(), later)).rejects.toThrow('gone later')
  })

  test('asks by plain data', () => {
    const talk = ask<'random'>({ kind: 'random', bytes: 7 })
    expect(talk.next()).toEqual({ done: false, value: { kind: 'random', bytes: 7 } })
    expect(talk.next('seven')).toEqual({ done: true, value: 'seven' })
  })
})

describe('a turn of the peer', () => {
  const log: string[] = []
  function* listening(): Talk<string> {
    try {
      const { text } = yield* hear({ method: 'm', extra: {} })
      return text
    } finally {
      log.push('closed')
    }
  }

  function turnOf(): Extract<Turn<string>, { kind: 'peer' }> {
    const turn = drive(listening(), now)
    if (isThenable(turn)) throw new Error('a promise')
    if (turn.kind !== 'peer') throw new Error('no turn')
    return turn
  }

  test('shows the challenge and goes on with the answer', () => {
    const turn = turnOf()
    expect(turn.say).toEqual({ method: 'm', extra: {} })
    expect(turn.answer({ text: 'hello', now: 1 })).toEqual({ kind: 'done', value: 'hello' })
  })

  test('runs the finally blocks of a conversation that is left', () => {
    log.length = 0
    turnOf().leave('nobody')
    expect(log).toEqual(['closed'])
  })

  test.each([
    ['answered twice', ['answer', 'answer']],
    ['left twice', ['leave', 'leave']],
    ['answered after it was left', ['leave', 'answer']],
    ['left after it was answered', ['answer', 'leave']],
  ] as const)('throws when it is %s', (_what, [first, second]) => {
    const turn = turnOf()
    const act = { answer: () => turn.answer({ text: '', now: 0 }), leave: () => turn.leave('') }
    act[first]()
    expect(act[second]).toThrow(MisuseError)
    expect(act[second]).toThrow(expect.objectContaining({ code: 'spent_turn' }) as Error)
  })
})

describe('settle', () => {
  test('uses a value that is there at once', () => {
    const seen: unknown[] = []
    settle(
      1,
      (value) => seen.push(value),
      (error) => seen.push(error),
    )
    expect(seen).toEqual([1])
  })

  test('uses a promised value later, and hands on what fails', async () => {
    const seen: unknown[] = []
    settle(
      Promise.resolve(1),
      (value) => seen.push(value),
      (error) => seen.push(error),
    )
    settle(
      Promise.reject(new Error('no')),
      (value) => seen.push(value),
      (error) => seen.push((error as Error).message),
    )
    settle(
      Promise.resolve(2),
      () => {
        throw new Error('use')
      },
      (error) => seen.push((error as Error).message),
    )
    expect(seen).toEqual([])
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(seen).toEqual([1, 'no', 'use'])
  })

  test.each([undefined, null, 0, 'then', {}, { then: 1 }])('does not wait for %j', (value) => {
    expect(isThenable(value)).toBe(false)
  })
})
