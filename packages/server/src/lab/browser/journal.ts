import { find, make } from './dom.ts'

/** Most lines that stay on the page. */
const maxLines = 200

/** A closed stream is opened again after this, ms: after logging in anew the old one stays closed. */
const reopenMs = 3_000

/** Follows the server's journal into the live log. */
export function followJournal(): void {
  const list = find('[data-journal]', HTMLElement)
  const state = find('[data-journal-state]', HTMLElement)
  const empty = find('[data-journal-empty]', HTMLElement)
  const say = (words: string): void => {
    if (state.textContent !== words) state.textContent = words
  }
  const open = (): void => {
    const source = new EventSource('/lab/journal')
    source.addEventListener('open', () => say('live, newest first'))
    source.addEventListener('error', () => {
      say('not connected, trying again')
      if (source.readyState !== EventSource.CLOSED) return
      setTimeout(open, reopenMs)
    })
    source.addEventListener('message', ({ data }: MessageEvent<string>) => {
      empty.hidden = true
      list.prepend(drawLine(readEntry(data)))
      while (list.childElementCount > maxLines) list.lastElementChild?.remove()
    })
  }
  open()
}

type Entry = Readonly<Record<string, unknown>>

function readEntry(text: string): Entry {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function drawLine(entry: Entry): HTMLElement {
  const word = (name: string): string => {
    const value = entry[name]
    return typeof value === 'string' ? value : ''
  }
  const at = new Date(typeof entry['atMs'] === 'number' ? entry['atMs'] : Date.now())
  const time = make(
    'time',
    '',
    `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`,
  )
  time.setAttribute('datetime', at.toISOString())
  const more = ['reason', 'method', 'detail', 'origin'].map(word).filter((text) => text !== '')
  const line = make(
    'li',
    'journal__line',
    time,
    make('span', 'journal__kind', word('kind')),
    make('span', '', word('guard')),
    make('span', '', word('subject') || '–'),
    make('span', 'journal__more', more.join(' · ')),
  )
  line.dataset['kind'] = word('kind')
  return line
}
