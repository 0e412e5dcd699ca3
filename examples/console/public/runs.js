/** The output pane: one block for each command, bounded in number and length. */
import { outcomeInWords, refusalInWords } from './words.js'

/** Blocks and lines that are kept; the oldest go first. */
const maxBlocks = 60
const maxLines = 2_000

/** A new element with a class and a text. */
export function element(name, className, text = '') {
  const made = document.createElement(name)
  made.className = className
  made.textContent = text
  return made
}

/** @param {HTMLElement} pane @param {(run: number) => void} stop */
export function outputPane(pane, stop) {
  const blocks = new Map()

  /** Adds a block, and keeps the end in sight where it was in sight. */
  function add(block) {
    pane.querySelector('#empty')?.remove()
    keepInSight(() => {
      pane.append(block)
      while (pane.childElementCount > maxBlocks) pane.firstElementChild.remove()
    })
  }

  function keepInSight(change) {
    const atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 60
    change()
    if (atEnd) pane.scrollTop = pane.scrollHeight
  }

  /** Keyboards reach what is wider than its place, and do not stop at the rest. */
  function reach(body) {
    if (body.scrollWidth > body.clientWidth) body.tabIndex = 0
    else body.removeAttribute('tabindex')
  }

  addEventListener('resize', () => pane.querySelectorAll('.run__body').forEach(reach))

  function blockFor(line, outcome, words) {
    const block = element('article', 'run')
    block.dataset.outcome = outcome
    const head = element('header', 'run__head')
    head.append(element('code', 'run__line', line), element('span', 'run__state', words))
    const body = element('pre', 'run__body')
    block.append(head, body)
    return { block, head, body }
  }

  return {
    started(run, line) {
      const { block, head, body } = blockFor(line, 'running', 'running')
      const button = element('button', 'button button--small run__stop', 'Stop')
      button.type = 'button'
      button.setAttribute('aria-label', `Stop ${line}`)
      button.addEventListener('click', () => stop(run))
      head.append(button)
      blocks.set(run, { block, head, body, button, line })
      add(block)
    },
    line(run, text) {
      const open = blocks.get(run)
      if (open === undefined) return
      keepInSight(() => {
        open.body.append(`${text}\n`)
        while (open.body.childNodes.length > maxLines) open.body.firstChild.remove()
      })
      reach(open.body)
    },
    /** @returns the command line, for whoever says that it has ended */
    ended(run, outcome, durationMs) {
      const open = blocks.get(run)
      if (open === undefined) return ''
      blocks.delete(run)
      const took = durationMs < 1_000 ? `${durationMs} ms` : `${(durationMs / 1_000).toFixed(1)} s`
      open.block.dataset.outcome = outcome
      open.head.querySelector('.run__state').textContent = `${outcomeInWords(outcome)} · ${took}`
      open.button.remove()
      return open.line
    },
    refused(line, reason) {
      const { block, body } = blockFor(line, 'refused', 'refused')
      body.textContent = refusalInWords(reason)
      body.classList.add('run__body--words')
      add(block)
    },
    announced(who, text) {
      const block = element('article', 'run run--announcement')
      block.append(element('strong', '', `${who}: `), element('span', '', text))
      add(block)
    },
    /** Nothing more will come: what still runs has ended with the console. */
    closed() {
      for (const { block, head, button } of blocks.values()) {
        block.dataset.outcome = 'console_ended'
        head.querySelector('.run__state').textContent = outcomeInWords('console_ended')
        button.remove()
      }
      blocks.clear()
    },
  }
}
