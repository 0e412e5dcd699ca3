/** A target in a process of its own, which may die of what it is asked. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Target } from './site.ts'

/** Starts a module that sends its URL and options when it listens. */
export async function openProcess(module: URL, ...args: readonly string[]): Promise<Target> {
  const child = fork(module, args, { execArgv: [], stdio: 'ignore' })
  const exited = once(child, 'exit')
  const [target] = (await Promise.race([
    once(child, 'message'),
    exited.then(() => {
      throw new Error(`${module.pathname} ended before it listened`)
    }),
  ])) as [Pick<Target, 'url' | 'options'>] // what the module sends
  return {
    ...target,
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill()
      await exited
    },
  }
}
