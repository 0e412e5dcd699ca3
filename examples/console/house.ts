/** What the program and its twin have in common. */
import type { Express } from 'express'
import type { Surroundings } from './commands.ts'

/** The parts that listen already and that a front end takes into use. */
export interface House {
  readonly app: Express
  /** `127.0.0.1:8090` and what else this server is called. */
  readonly hosts: readonly string[]
  /** Origins of its own pages. */
  readonly origins: readonly string[]
  /** Life of a login, ms. */
  readonly sessionMs: number
  readonly surroundings: Omit<Surroundings, 'announce' | 'evict'>
}

/** Who serves: ends what it has begun. */
export interface Serving {
  close(): Promise<void>
}
