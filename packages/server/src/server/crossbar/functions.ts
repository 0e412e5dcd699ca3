/** Authenticators of the configuration that are functions: modules of JavaScript or TypeScript, loaded once. */
import { createRequire } from 'node:module'
import { isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MisuseError } from 'countersign'
import type { AuthenticatorFunction } from 'countersign/methods'
import type { AuthSourceNode } from './auth-node.ts'

/** A source that is a function. */
export type FunctionSource = Extract<AuthSourceNode<never>, { kind: 'function' }>

/** Makes authenticators: each combination of module, export and `config` once in the life of the process. */
export interface FunctionLoader {
  /** @throws MisuseError when the module cannot be imported, or what it exports makes no function */
  load(source: FunctionSource): Promise<AuthenticatorFunction>
}

/** @param folder of the configuration: packages are looked for from there */
export function functionLoader(folder: string): FunctionLoader {
  const made = new Map<string, Promise<AuthenticatorFunction>>()
  return {
    async load(source) {
      const key = JSON.stringify([source.module, source.exportName, source.config])
      const loading = made.get(key) ?? make(source, folder)
      made.set(key, loading)
      try {
        return await loading
      } catch (error) {
        // What failed once may be repaired by the time the configuration is read again.
        made.delete(key)
        throw error
      }
    },
  }
}

/** The export is called once with `config`, and what it returns is the authenticator. */
async function make(source: FunctionSource, folder: string): Promise<AuthenticatorFunction> {
  const { module, exportName, config } = source
  const exported = await imported(module, folder)
  const create = exported[exportName]
  if (!isFunction(create)) throw wrong(module, `exports no function called ${exportName}`)
  const authenticate = await called(create, config, module)
  if (!isFunction(authenticate)) throw wrong(module, `${exportName} must return a function`)
  return (realm, authid, details) => authenticate(realm, authid, details)
}

/** The exports of a module. Why an import failed may be in a file's own words: its class is told, no more. */
async function imported(module: string, folder: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const found: unknown = await import(addressOf(module, folder))
    return typeof found === 'object' && found !== null ? { ...found } : {}
  } catch (error) {
    throw wrong(module, `cannot be imported (${nameOf(error)})`)
  }
}

/** A file by its name; a package as code that stands beside the configuration would find it. */
function addressOf(module: string, folder: string): string {
  if (isAbsolute(module)) return pathToFileURL(module).href
  try {
    return pathToFileURL(createRequire(join(folder, 'config.json')).resolve(module)).href
  } catch {
    return module
  }
}

async function called(create: AnyFunction, config: unknown, module: string): Promise<unknown> {
  try {
    return await create(config)
  } catch (error) {
    throw wrong(module, `failed to make an authenticator (${nameOf(error)})`)
  }
}

type AnyFunction = (...args: readonly unknown[]) => unknown

/** Any function at all: how many arguments it takes says nothing. */
function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}

function wrong(module: string, what: string): MisuseError {
  return new MisuseError('invalid_option', `${module}: ${what}`)
}

/** Class and code: messages of foreign errors may quote what they were given. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
