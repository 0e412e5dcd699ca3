import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { dirname, join, relative, resolve } from 'node:path'
import { environment, root } from '../../tools/processes.ts'

/** A fenced block of a page. */
export interface Block {
  readonly page: string
  /** Line of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  /** The word behind the language: `run`, `fragment`, `ci`, `serve`, or `''`. */
  readonly mark: string
  readonly text: string
}

/** A Markdown page by its path from the repository's root. */
export interface Page {
  readonly path: string
  readonly text: string
}

/** The pages whose code and links are held true: those at the root, the packages' own, and all under `docs/`. */
export function pages(): readonly Page[] {
  const atRoot = readdirSync(root).filter((name) => name.endsWith('.md'))
  const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs'), { recursive: true }) : []
  const under = docs.map((name) => join('docs', String(name))).filter((name) => name.endsWith('.md'))
  const ofPackages = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'README.md'))
  return [...atRoot, ...ofPackages, ...under].map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }))
}

/** The fenced blocks of a page. An indented fence (in a list) loses its indentation, and so do the lines in it. */
export function blocksOf({ path, text }: Page): readonly Block[] {
  const fence = /^([ ]*)(`{3,})([^\n`]*)\n([\s\S]*?)^[ ]*\2[ ]*$/gm
  return [...text.matchAll(fence)].map((match) => {
    const [, indent = '', , info = '', body = ''] = match
    const [language = '', mark = ''] = info.trim().split(/\s+/)
    const line = text.slice(0, match.index).split('\n').length
    const dedented = body.replaceAll(new RegExp(`^ {0,${String(indent.length)}}`, 'gm'), '')
    return { page: path, line, language, mark, text: dedented }
  })
}

/** Where a block stands, as editors open it. */
export function placeOf({ page, line }: Block): string {
  return `${page}:${String(line)}`
}

/** A folder inside the repository, so that the blocks in it import the packages by their public names. */
export interface BlockFolder {
  readonly path: string
  readonly remove: () => void
}

/** Writes blocks to a folder of their own: `README.md` line 12 becomes `readme-12.ts`. */
export function writeBlocks(blocks: readonly Block[]): BlockFolder {
  const path = mkdtempSync(join(root, '.docs-check-'))
  for (const block of blocks) writeFileSync(join(path, fileNameOf(block)), `${block.text}\nexport {}\n`)
  const compilerOptions = {
    noUnusedLocals: false,
    noUnusedParameters: false,
    isolatedDeclarations: false,
    declaration: false,
  }
  const config = { extends: '../tsconfig.json', compilerOptions, include: ['*.ts'], exclude: [] }
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify(config))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** What the compiler says about blocks, all in one run; `''` when it is content. */
export function compilerErrors(blocks: readonly Block[]): string {
  if (blocks.length === 0) return ''
  const folder = writeBlocks(blocks)
  try {
    const { stdout, status, error } = spawnSync('tsc', ['-p', folder.path], {
      env: environment(),
      encoding: 'utf8',
    })
    if (error !== undefined) throw error
    return status === 0 ? '' : stdout
  } finally {
    folder.remove()
  }
}

/** The file that {@link writeBlocks} gives a block. */
export function fileNameOf({ page, line }: Block): string {
  return `${page
    .replaceAll(/\.md$/g, '')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase()}-${String(line)}.ts`
}

/** An empty folder for the commands of one block. */
export function emptyFolder(parent: string, block: Block): string {
  const path = join(parent, fileNameOf(block).replace(/\.ts$/, ''))
  mkdirSync(path, { recursive: true })
  return path
}

/** Links of a page that lead nowhere: to a missing file, or to a heading that its page does not have. */
export function brokenLinks(page: Page): readonly string[] {
  const prose = page.text.replaceAll(/^([ ]*`{3,})[\s\S]*?^\1[ ]*$/gm, '').replaceAll(/`[^`\n]*`/g, '')
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(
    (match) => match[1] ?? '',
  )
  const html = [...prose.matchAll(/\b(?:src|href|srcset)="([^"]+)"/g)].map((match) => match[1] ?? '')
  const defined = [...prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm)].map((match) => match[1] ?? '')
  return [...inline, ...html, ...defined].filter(
    (link) => !/^[a-z][a-z0-9+.-]*:/i.test(link) && !leadsSomewhere(page, link),
  )
}

function leadsSomewhere(page: Page, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target =
    file === '' ? join(root, page.path) : resolve(root, dirname(page.path), decodeURIComponent(file))
  if (relative(root, target).startsWith('..') || !existsSync(target)) return false
  if (anchor === undefined || !target.endsWith('.md')) return true
  return anchorsOf(readFileSync(target, 'utf8')).has(anchor)
}

/** The anchors that a page's headings get, as GitHub makes them, and those it names itself. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const prose = text.replaceAll(/^([ ]*`{3,})[\s\S]*?^\1[ ]*$/gm, '')
  const headings = [...prose.matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)].map((match) => {
    const plain = (match[1] ?? '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = plain.replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-')
    const count = seen.get(slug) ?? 0
    seen.set(slug, count + 1)
    return count === 0 ? slug : `${slug}-${String(count)}`
  })
  const named = [...text.matchAll(/\b(?:id|name)="([^"]+)"/g)].map((match) => match[1] ?? '')
  return new Set([...headings, ...named])
}
