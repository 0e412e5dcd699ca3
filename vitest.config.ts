import { createRequire } from 'node:module'
import type { ViteUserConfig } from 'vitest/config'

const conditions = ['countersign-source', 'node', 'module', 'default']

/** A package of both kinds of modules, by the one that Node takes: two copies would not know each other's objects. */
const alias = [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }]

/** The library is imported by its public names and answered from its sources, so that no test needs a build. */
const source = { resolve: { conditions, alias }, ssr: { resolve: { conditions } } }

/** Tests that measure time. */
const latency = 'test/integration/*-latency.test.ts'

/**
 * Three projects by folder: `unit` needs no foreign program, `integration` starts some,
 * `e2e` drives browsers one file at a time. What measures time has one of its own, so that nothing runs beside it.
 */
const config: ViteUserConfig = {
  test: {
    pool: 'forks',
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/browser/**'],
      reporter: ['text', 'json-summary'],
    },
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          include: [
            'test/countersign/**/*.test.ts',
            'test/server/**/*.test.ts',
            'test/fuzz/**/*.test.ts',
            'test/*.test.ts',
          ],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...source,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [latency],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...source,
        test: {
          name: 'latency',
          include: [latency],
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        ...source,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
}

export default config
