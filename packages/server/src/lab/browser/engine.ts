import type { Engine } from './case.ts'

/** The engine and its version, as far as the user agent tells. */
export interface EngineFacts {
  readonly engine: Engine
  /** For people: `Firefox 153.0`. */
  readonly words: string
}

const signs: readonly (readonly [RegExp, Engine, string])[] = [
  [/Firefox\/([\d.]+)/, 'firefox', 'Firefox'],
  [/(?:Headless)?Chrom(?:e|ium)\/([\d.]+)/, 'chromium', 'Chromium'],
  [/AppleWebKit\/([\d.]+)/, 'webkit', 'WebKit'],
]

/** Reads a user agent. Everything unknown counts as WebKit, the engine with the fewest abilities. */
export function readEngine(userAgent: string): EngineFacts {
  for (const [sign, engine, name] of signs) {
    const version = sign.exec(userAgent)?.[1]
    if (version !== undefined) return { engine, words: `${name} ${version}` }
  }
  return { engine: 'webkit', words: 'an unknown engine' }
}
