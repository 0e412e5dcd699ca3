/** Does from outside what ends or changes a socket's rights: the owner has said how. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Scene } from './check.ts'
import type { Hook, Trigger } from './options.ts'

const commandPatienceMs = 15_000

/** How a hook went; `undefined` when it was done. */
export type HookTrouble = string | undefined

/** Runs the hook of one trigger, in the name of `low`. @throws BudgetSpent, OutOfScope */
export async function runHook(scene: Scene, trigger: Trigger): Promise<HookTrouble> {
  return run(scene, trigger, scene.options.hooks?.[trigger])
}

/** Makes up for what the hook of a trigger did, where the configuration says how. @throws BudgetSpent, OutOfScope */
export async function undoHook(scene: Scene, trigger: Trigger): Promise<HookTrouble> {
  const undo = scene.options.hooks?.[trigger]?.undo
  return undo === undefined ? undefined : run(scene, trigger, undo)
}

async function run(
  { low, budget }: Scene,
  trigger: Trigger,
  hook: Omit<Hook, 'undo'> | undefined,
): Promise<HookTrouble> {
  if (hook === undefined) return `a hook for "${trigger}"`
  if (hook.command !== undefined) {
    const [program = '', ...args] = hook.command
    try {
      const { signal } = budget
      await promisify(execFile)(program, args, { timeout: commandPatienceMs, maxBuffer: 65_536, signal })
      return undefined
    } catch {
      return `a hook for "${trigger}" that works: ${program} failed`
    }
  }
  if (low === undefined || hook.url === undefined) return `an identity "low" for the hook of "${trigger}"`
  const answer = await low.askFor({ ...hook, url: hook.url })
  if (answer.kind === 'failed') return `a hook for "${trigger}" that answers: ${answer.why}`
  return answer.status < 400 ? undefined : `a hook for "${trigger}" that works: it answers ${answer.status}`
}
