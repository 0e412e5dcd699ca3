/** The console: one socket, the commands that its roles may run, and what they say. */
import { io } from './socket.io.js'
import { outputPane, element } from './runs.js'
import { endInWords } from './words.js'

const find = (selector) => document.querySelector(selector)
const input = find('#line')
const runButton = find('#prompt button')
const said = find('#said')

/** The session's cookie travels with the handshake; `expiring` asks to be warned before the end. */
const socket = io('/console', { auth: { expiring: true }, transports: ['polling', 'websocket'] })
const output = outputPane(find('#output'), (run) => socket.emit('stop', { run }))

const typed = []
let typedAt = 0
let commands = new Map()
let endsAt
let over = false

/** Runs a line as it is typed: the command's name, then its one argument. */
async function run(line) {
  const [name, ...rest] = line.split(' ')
  const argument = rest.join(' ').trim()
  // What the page does not know is sent all the same: the server decides.
  const member = commands.get(name)?.usage.toLowerCase() || 'argument'
  const answer = await socket
    .timeout(10_000)
    .emitWithAck('command', { command: name, args: argument === '' ? {} : { [member]: argument } })
    .catch(() => ({ refused: 'overloaded' }))
  if (answer.run === undefined) output.refused(line, answer.refused ?? answer.error.reason)
  else output.started(answer.run, line)
}

socket.on('welcome', ({ roles, commands: offered, ends_in }) => {
  commands = new Map(offered.map((command) => [command.name, command]))
  find('#role').textContent = roles.join(', ')
  find('#commands').replaceChildren(...offered.map(commandCard))
  find('#known').replaceChildren(...offered.flatMap(completions))
  endsAt = Date.now() + ends_in * 1_000
  show('open')
})
socket.on('line', ({ run, text }) => output.line(run, text))
socket.on('end', ({ run, outcome, durationMs }) => {
  said.textContent = `${output.ended(run, outcome, durationMs)}: ${outcome}`
})
socket.on('announce', ({ who, text }) => output.announced(who, text))
socket.on('auth_expiring', ({ in: seconds }) => tell(`Your login ends in ${seconds} seconds.`, 'warn'))
socket.on('auth_end', ({ reason }) => end(reason))
socket.on('connect_error', ({ data }) => {
  if (data?.reason === undefined) show('connecting')
  else end(data.reason)
})
socket.on('disconnect', () => {
  output.closed()
  if (!over) show('connecting')
})

/** A command as a card: a button that runs it, or one for each thing that it takes. */
function commandCard({ name, help, usage, choices }) {
  const card = element('li', 'command')
  const button = element('button', 'command__run', usage === '' ? name : `${name} ${usage}`)
  button.type = 'button'
  button.addEventListener('click', () => {
    if (usage === '') void run(name)
    else fill(`${name} `)
  })
  card.append(button, element('p', 'small muted', help))
  if (choices.length > 0) {
    const list = element('div', 'command__choices')
    for (const choice of choices) {
      const chip = element('button', 'chip chip--button', choice)
      chip.type = 'button'
      chip.setAttribute('aria-label', `${name} ${choice}`)
      chip.addEventListener('click', () => void run(`${name} ${choice}`))
      list.append(chip)
    }
    card.append(list)
  }
  return card
}

function completions({ name, choices }) {
  const lines = choices.length === 0 ? [name] : choices.map((choice) => `${name} ${choice}`)
  return lines.map((line) => {
    const option = document.createElement('option')
    option.value = line
    return option
  })
}

function fill(line) {
  input.value = line
  input.focus()
}

find('#prompt').addEventListener('submit', (event) => {
  event.preventDefault()
  const line = input.value.trim()
  if (line === '' || over) return
  typed.push(line)
  typedAt = typed.length
  input.value = ''
  void run(line)
})
input.addEventListener('keydown', (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
  if (step === undefined || typed.length === 0) return
  event.preventDefault()
  typedAt = Math.min(typed.length, Math.max(0, typedAt + step))
  input.value = typed[typedAt] ?? ''
})

/** Shows whether the socket is open, and with it whether anything can be run. */
function show(state) {
  const words = { open: 'connected', connecting: 'connecting', ended: 'closed' }
  find('#state').dataset.state = state
  find('#state').textContent = words[state]
  input.disabled = state !== 'open'
  runButton.disabled = state !== 'open'
  for (const button of document.querySelectorAll('.commands button')) button.disabled = state !== 'open'
  if (state === 'open') tell('', '')
}

function tell(text, kind) {
  const notice = find('#notice')
  notice.className = `notice notice--${kind}`
  notice.textContent = text
  notice.hidden = text === ''
}

/** The lease is over: whoever wants to go on logs in anew. */
function end(reason) {
  over = true
  endsAt = undefined
  socket.disconnect()
  output.closed()
  show('ended')
  tell(`${endInWords(reason)} `, 'bad')
  const link = element('a', '', 'Log in')
  link.href = '/'
  find('#notice').append(link)
  countDown()
}

function countDown() {
  const lease = find('#lease')
  const seconds = endsAt === undefined ? undefined : Math.max(0, Math.round((endsAt - Date.now()) / 1_000))
  lease.classList.toggle('soon', seconds !== undefined && seconds < 60)
  const pad = (number) => String(number).padStart(2, '0')
  lease.textContent =
    seconds === undefined ? '' : `login ends in ${pad(Math.floor(seconds / 60))}:${pad(seconds % 60)}`
}
setInterval(countDown, 1_000)
