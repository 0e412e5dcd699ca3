import type { CaseResult, Engine, LabCase } from './case.ts'
import { findIn, make } from './dom.ts'
import { describeOutcome } from './outcome.ts'
import { drawTabs } from './tabs.ts'
import type { Trace } from './trace.ts'

/** What is known about a row once its case has run. */
export interface RowState {
  readonly result: CaseResult
  readonly trace: Trace
}

/** The rows of the cards. */
export interface Rows {
  readonly started: (one: LabCase) => void
  readonly finished: (one: LabCase, state: RowState) => void
  readonly filter: (surprisingOnly: boolean) => void
}

/** What rows need of the page. */
export interface RowTools {
  readonly engine: Engine
  readonly docsBase: string
  readonly run: (id: string) => void
}

/** Finds the rows of the page and makes them open into their tabs. */
export function findRows(cases: readonly LabCase[], tools: RowTools): Rows {
  const states = new Map<string, RowState>()
  const elements = new Map<string, HTMLDetailsElement>()
  let surprisingOnly = false
  const draw = (one: LabCase): void => {
    const body = findIn(elements.get(one.id) ?? document, '[data-body]')
    body?.replaceChildren(...drawBody(one, states.get(one.id), tools))
  }
  for (const one of cases) {
    const element = document.getElementById(one.id)
    if (!(element instanceof HTMLDetailsElement)) continue
    elements.set(one.id, element)
    const expected = one.differs[tools.engine]?.expected
    if (expected !== undefined) write(element, 'expected', `${describeOutcome(expected)} *`)
    element.addEventListener('toggle', () => element.open && draw(one))
  }
  const sift = (): void => siftRows(elements.values(), surprisingOnly)
  return {
    started(one) {
      const element = elements.get(one.id)
      if (element !== undefined) mark(element, 'running', '… running')
    },
    finished(one, state) {
      states.set(one.id, state)
      const element = elements.get(one.id)
      if (element === undefined) return
      showResult(element, state.result)
      if (element.open) draw(one)
      sift()
    },
    filter(only) {
      surprisingOnly = only
      sift()
    },
  }
}

function showResult(element: HTMLElement, result: CaseResult): void {
  write(element, 'measured', describeOutcome(result.measured))
  write(element, 'ms', `${result.ms} ms`)
  mark(element, result.agrees ? 'agrees' : 'surprising', result.agrees ? '✓ as expected' : '✗ surprising')
}

function write(element: HTMLElement, where: string, words: string): void {
  const target = findIn(element, `[data-${where}]`)
  if (target !== undefined) target.textContent = words
}

function mark(element: HTMLElement, verdict: string, words: string): void {
  element.dataset['verdict'] = verdict
  write(element, 'verdict-words', words)
}

function siftRows(rows: Iterable<HTMLElement>, surprisingOnly: boolean): void {
  for (const row of rows)
    row.dataset['hidden'] = String(surprisingOnly && row.dataset['verdict'] !== 'surprising')
  let empty = true
  for (const card of document.querySelectorAll('[data-door]')) {
    const left = card.querySelector('.case:not([data-hidden="true"])') !== null
    if (card instanceof HTMLElement) card.dataset['empty'] = String(!left)
    if (left) empty = false
  }
  const words = findIn(document, '[data-nothing-surprising]')
  if (words !== undefined) words.hidden = !empty
}

function drawBody(one: LabCase, state: RowState | undefined, tools: RowTools): readonly HTMLElement[] {
  const differs = one.differs[tools.engine]
  const note = state?.result.note ?? differs?.why ?? ''
  const tabs = drawTabs(one, state, tools)
  return note === '' ? [tabs] : [make('p', 'notice case__note small', note), tabs]
}
