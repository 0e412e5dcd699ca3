import type { LabCase } from './case.ts'
import { findIn, make } from './dom.ts'
import { adviceFor, describeOutcome } from './outcome.ts'
import type { RowState, RowTools } from './rows.ts'
import { drawSequence } from './sequence.ts'

interface Tab {
  readonly name: string
  readonly draw: (
    one: LabCase,
    state: RowState | undefined,
    tools: RowTools,
  ) => HTMLElement | Promise<HTMLElement>
}

const tabs: readonly Tab[] = [
  { name: 'On the wire', draw: (_one, state) => drawSequence(state?.trace.parts ?? []) },
  { name: 'Server code', draw: drawSample },
  { name: 'Why', draw: drawWhy },
]

/** The three tabs of a row (ARIA tabs pattern: arrows move, the panel follows), and a button that runs the case. */
export function drawTabs(one: LabCase, state: RowState | undefined, tools: RowTools): HTMLElement {
  const panel = make('div', 'tabs__panel')
  panel.id = `${one.id}-panel`
  panel.tabIndex = 0
  panel.setAttribute('role', 'tabpanel')
  const buttons = tabs.map(({ name }, index) => makeTab(`${one.id}-tab${index}`, name, panel.id))
  const list = make('div', '', ...buttons)
  list.setAttribute('role', 'tablist')
  list.setAttribute('aria-label', `${one.id}: details`)
  const select = (index: number, focus: boolean): void => {
    for (const [at, button] of buttons.entries()) mark(button, at === index)
    panel.setAttribute('aria-labelledby', `${one.id}-tab${index}`)
    if (focus) buttons[index]?.focus()
    void fill(panel, tabs[index], [one, state, tools])
  }
  for (const [index, button] of buttons.entries())
    button.addEventListener('click', () => select(index, false))
  list.addEventListener('keydown', (event) => moveBy(event, buttons, select))
  select(0, false)
  const run = make('button', 'button button--small tabs__run', 'Run this case')
  run.addEventListener('click', () => tools.run(one.id))
  return make('div', 'tabs', make('div', 'tabs__bar', list, run), panel)
}

function makeTab(id: string, name: string, panel: string): HTMLElement {
  const button = make('button', 'tabs__tab', name)
  button.id = id
  button.setAttribute('type', 'button')
  button.setAttribute('role', 'tab')
  button.setAttribute('aria-controls', panel)
  return button
}

function mark(button: HTMLElement, selected: boolean): void {
  button.setAttribute('aria-selected', String(selected))
  button.tabIndex = selected ? 0 : -1
}

const moves: Readonly<Record<string, (at: number) => number>> = {
  ArrowRight: (at) => (at + 1) % tabs.length,
  ArrowLeft: (at) => (at + tabs.length - 1) % tabs.length,
  Home: () => 0,
  End: () => tabs.length - 1,
}

function moveBy(
  event: KeyboardEvent,
  buttons: readonly HTMLElement[],
  select: (index: number, focus: boolean) => void,
): void {
  const move = moves[event.key]
  if (move === undefined) return
  event.preventDefault()
  select(move(buttons.findIndex((button) => button.getAttribute('aria-selected') === 'true')), true)
}

async function fill(panel: HTMLElement, tab: Tab | undefined, parts: Parameters<Tab['draw']>): Promise<void> {
  if (tab === undefined) return
  panel.dataset['tab'] = tab.name
  const drawn = await tab.draw(...parts)
  if (panel.dataset['tab'] === tab.name) panel.replaceChildren(drawn)
}

/** By the whole name of a case about a lease, or by its last part. */
const leaseSamples: Readonly<Record<string, string>> = {
  'logout-elsewhere': 'lease-logout',
  'D14.logout-polling': 'lease-logout',
  expire: 'lease-expire',
  refresh: 'lease-refresh',
  'D7.refresh': 'lease-refresh-cookie',
  'D9.refresh': 'lease-refresh-csrf',
  'D1.refresh-in-band': 'lease-refresh-in-band',
  'D14.refresh-in-band': 'lease-refresh-event',
  'refresh-in-band': 'lease-refresh-challenge',
  revoke: 'lease-revoke',
  'role-removed': 'lease-role',
}

function sampleNameOf({ id, door, steps }: LabCase): string {
  if (steps.some(({ kind }) => kind === 'invite'))
    return leaseSamples[id] ?? leaseSamples[id.slice(door.length + 1)] ?? door
  return steps.some(({ kind }) => kind === 'join') ? `${door}-wamp` : door
}

function drawSample(one: LabCase): HTMLElement {
  const { door } = one
  const own = findIn(document, `[data-sample="${sampleNameOf(one)}"]`)
  const template = own ?? findIn(document, `[data-sample="${door}"]`)
  const text = template instanceof HTMLTemplateElement ? template.content.textContent : ''
  const sample = make('pre', 'sample', make('code', '', text))
  sample.tabIndex = 0
  return sample
}

const engineNames: Readonly<Record<string, string>> = {
  chromium: 'Chromium',
  firefox: 'Firefox',
  webkit: 'WebKit',
}

function drawWhy(one: LabCase, state: RowState | undefined, { docsBase }: RowTools): HTMLElement {
  const shown = state?.result.measured ?? one.expected
  const docs = make(docsBase === '' ? 'code' : 'a', '', one.docs)
  if (docs instanceof HTMLAnchorElement) docs.href = `${docsBase}${one.docs}`
  const engines = Object.entries(one.differs).flatMap(([engine, { expected, why }]) => [
    make('dt', '', `In ${engineNames[engine] ?? engine}`),
    make('dd', '', `${describeOutcome(expected)}. ${why}`),
  ])
  const facts = make(
    'dl',
    'advice',
    make('dt', '', 'The client should'),
    make('dd', '', adviceFor(shown)),
    ...engines,
    make('dt', '', 'More'),
    make('dd', '', docs),
  )
  return make('div', '', make('p', '', one.why), facts)
}
