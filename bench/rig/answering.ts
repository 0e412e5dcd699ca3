/** The other end of a `Child`: answers questions until the parent's channel closes, and ends then. */
import type { Questions, Request, Response } from './protocol.ts'

/** One function per question. */
export type AnswersTo<Q extends Questions<Q>> = {
  readonly [K in keyof Q]: (ask: Q[K]['ask']) => Q[K]['answer'] | Promise<Q[K]['answer']>
}

/** Answers each question of the parent by its row of the table. */
export function answerQuestions<Q extends Questions<Q>>(answers: AnswersTo<Q>): void {
  const answer = async ({ id, kind, ask }: Request): Promise<Response> => {
    try {
      // Each question comes from `Child.ask`, whose types match question and kind.
      return { id, answer: await answers[kind as keyof Q](ask) }
    } catch (error) {
      return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
  process.on(
    'message',
    (request: Request) => void answer(request).then((response) => process.send?.(response)),
  )
  process.on('disconnect', () => process.exit())
}
