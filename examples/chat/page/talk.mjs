/** What was said, as a list. */
import { coordinates } from './location.mjs'
import { showWords } from './words.mjs'

const maxLines = 100
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

/** The list. `chosen(number)` is called when a message is picked, `moderate` is there for moderators. */
export function createTalk(list, empty, { chosen, moderate, me }) {
  const items = new Map()

  const add = (line) => {
    if (items.has(line.number)) return
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80
    const item = itemOf(line, { chosen, moderate, own: line.nickname === me })
    items.set(line.number, item)
    list.append(item)
    while (items.size > maxLines) remove(items.keys().next().value)
    empty.hidden = true
    if (atEnd) list.scrollTop = list.scrollHeight
  }

  const remove = (number) => {
    items.get(number)?.remove()
    items.delete(number)
    empty.hidden = items.size > 0
  }

  return {
    add,
    remove,
    clear() {
      for (const number of items.keys()) remove(number)
    },
    note(text) {
      const item = document.createElement('li')
      item.className = 'line line-note'
      item.textContent = text
      list.append(item)
      list.scrollTop = list.scrollHeight
    },
    highlight(number) {
      for (const [each, item] of items) item.toggleAttribute('data-chosen', each === number)
      items.get(number)?.scrollIntoView({ block: 'nearest' })
    },
  }
}

function itemOf(line, { chosen, moderate, own }) {
  const item = document.createElement('li')
  item.className = own ? 'line line-own' : 'line'
  const head = element('p', 'line-head')
  const who = element('strong', 'line-who', line.nickname)
  const when = element('time', 'muted small', time.format(line.at))
  when.dateTime = new Date(line.at).toISOString()
  head.append(who, when)
  const words = element('p', 'line-words')
  words.dir = 'auto'
  showWords(words, line.message)
  const place = element('button', 'link small', coordinates(line))
  place.type = 'button'
  place.setAttribute('aria-label', `Show on the map where ${line.nickname} was: ${coordinates(line)}`)
  place.addEventListener('click', () => chosen(line.number))
  const foot = element('p', 'line-foot')
  foot.append(place)
  if (moderate !== undefined) {
    foot.append(tool('Remove', `Remove the message of ${line.nickname}`, () => moderate.remove(line.number)))
    if (!own)
      foot.append(tool('Mute', `Mute ${line.nickname} for 5 minutes`, () => moderate.mute(line.nickname)))
  }
  item.append(head, words, foot)
  return item
}

function tool(text, label, act) {
  const button = element('button', 'link small', text)
  button.type = 'button'
  button.setAttribute('aria-label', label)
  button.addEventListener('click', act)
  return button
}

function element(name, className, text = '') {
  const made = document.createElement(name)
  made.className = className
  made.textContent = text
  return made
}
