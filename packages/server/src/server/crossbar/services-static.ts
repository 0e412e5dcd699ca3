/** Files of a folder: nothing outside it, nothing whose name begins with a dot. */
import { open, realpath, stat, type FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { extname, join, sep } from 'node:path'
import { pipeline } from 'node:stream'
import type { WebServiceNode } from './node.ts'

type StaticNode = Extract<WebServiceNode, { kind: 'static' }>

/** What is asked for. */
export interface FileRequest {
  /** As it stands in the URL. */
  readonly path: string
  /** The part of it below the folder. */
  readonly within: string
  readonly head: boolean
}

/** Types by extension; others are downloads. */
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.ico': 'image/vnd.microsoft.icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.pdf': 'application/pdf',
}

/** Ends an answer with a few words. */
export function say(response: ServerResponse, status: number, words: string): void {
  response.statusCode = status
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(`${words}\n`)
}

/** Answers with the file, or 404 for whatever reason there is none. Never rejects. */
export async function answerFile(
  service: StaticNode,
  request: FileRequest,
  response: ServerResponse,
): Promise<void> {
  try {
    const names = namesIn(request.within)
    if (names === undefined) return say(response, 404, 'Not found')
    const file = await fileIn(service, names)
    if (file === undefined) return say(response, 404, 'Not found')
    // Relative links of a folder's page count from the slash at its end.
    if (file.isFolder && request.within !== '' && !request.path.endsWith('/')) {
      response.setHeader('location', `${request.path}/`)
      return say(response, 301, 'Moved')
    }
    // Looked at anew: the default file may be a link as well.
    const named = file.isFolder ? join(file.path, service.defaultFile) : file.path
    await send(service, await inside(service, named), { head: request.head, response })
  } catch {
    // What the system says about files is nobody's business outside.
    if (response.headersSent) response.destroy()
    else say(response, 404, 'Not found')
  }
}

/** Names of folders and a file; `undefined` for what may not be asked for. */
function namesIn(within: string): readonly string[] | undefined {
  const names = (within.endsWith('/') ? within.slice(0, -1) : within).split('/').map(decoded)
  if (names.length === 1 && names[0] === '') return []
  const wrong = names.some(
    (name) => name === undefined || name === '' || name.startsWith('.') || /[/\\\0]/.test(name),
  )
  return wrong ? undefined : names.flatMap((name) => name ?? [])
}

/** Decoded once, name by name: an encoded slash stays part of a name, and is refused there. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** What stands there, if it is a file or a folder. @throws whatever the system says when there is nothing */
async function fileIn(
  service: StaticNode,
  names: readonly string[],
): Promise<{ readonly path: string; readonly isFolder: boolean } | undefined> {
  const path = await inside(service, join(service.directory, ...names))
  if (path === undefined) return undefined
  // Not opened yet: opening a pipe would wait for whoever writes to it.
  const facts = await stat(path)
  return facts.isFile() || facts.isDirectory() ? { path, isFolder: facts.isDirectory() } : undefined
}

/** Links are followed, and may lead out of the folder: then there is nothing. */
async function inside({ directory }: StaticNode, path: string): Promise<string | undefined> {
  const [root, real] = await Promise.all([realpath(directory), realpath(path)])
  return real === root || real.startsWith(root + sep) ? real : undefined
}

async function send(
  service: StaticNode,
  path: string | undefined,
  { head, response }: { readonly head: boolean; readonly response: ServerResponse },
): Promise<void> {
  if (path === undefined || !(await stat(path)).isFile()) return say(response, 404, 'Not found')
  const handle = await open(path, 'r')
  // Of what was opened: by now another file may have the name.
  const facts = await handle.stat()
  response.setHeader('content-type', typeOf(service, path))
  response.setHeader('content-length', facts.size)
  if (service.cacheTimeoutS !== undefined)
    response.setHeader('cache-control', `max-age=${service.cacheTimeoutS}`)
  if (head) {
    await handle.close()
    response.end()
  } else stream(handle, facts.size, response)
}

/** As long as was announced, should the file grow meanwhile. */
function stream(handle: FileHandle, size: number, response: ServerResponse): void {
  if (size === 0) {
    void handle.close().finally(() => response.end())
    return
  }
  pipeline(handle.createReadStream({ end: size - 1 }), response, (error) => {
    if (error) response.destroy()
  })
}

/** By extension, the configuration's word before the table's; never by what is in the file. */
function typeOf({ mimeTypes }: StaticNode, path: string): string {
  const extension = extname(path).toLowerCase()
  const configured = mimeTypes.find((one) => one.extension.toLowerCase() === extension)
  return configured?.type ?? types[extension] ?? 'application/octet-stream'
}
