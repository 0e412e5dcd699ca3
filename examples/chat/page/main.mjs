/** The page: first the position, then the socket, then what is said. */
import { io } from '../socket.io/socket.io.esm.min.js'
import { askPosition, coordinates, whenRefused } from './location.mjs'
import { createMap } from './map.mjs'
import { endings, refusalWords } from './refusals.mjs'
import { createTalk } from './talk.mjs'

const maxCharacters = 500
const $ = (id) => document.getElementById(id)

let position
let socket
let leaseTimer

$('share').addEventListener('click', () => void comeIn())
$('relocate').addEventListener('click', () => void comeIn())
void whenRefused((problem) => {
  socket?.disconnect()
  turnAway(problem)
})
// Who has allowed it before is not asked again.
const permission = await navigator.permissions?.query({ name: 'geolocation' }).catch(() => undefined)
if (permission?.state === 'granted') void comeIn()

/** No position, no chat: nothing is connected before the browser has told one. */
async function comeIn() {
  if ($('share').disabled) return
  $('share').disabled = true
  $('gate-problem').textContent = ''
  $('share').textContent = 'Asking your browser …'
  const found = await askPosition()
  $('share').textContent = 'Share my position'
  if (found.problem === undefined) {
    position = found
    $('from').textContent = `You speak from ${coordinates(position)}`
    if (socket === undefined) await open()
    else socket.connect()
  }
  $('share').disabled = false
  if (found.problem !== undefined) {
    turnAway(found.problem)
    return
  }
  $('gate').hidden = true
  $('room').hidden = false
  room.map.setMe(position)
  $('message').focus({ preventScroll: true })
}

function turnAway(problem) {
  socket?.disconnect()
  state('idle', 'Not connected')
  $('room').hidden = true
  $('gate').hidden = false
  $('gate-problem').textContent = problem
  $('share').textContent = 'Ask again'
}

let room

/** Once: the map, the list, the socket. */
async function open() {
  const world = await (await fetch('/world.json')).json()
  const choose = (number, follow) => {
    room.talk.highlight(number)
    room.map.highlight(number, follow)
  }
  const map = createMap($('map'), $('world'), { world, chosen: (number) => choose(number, false) })
  const talk = createTalk($('lines'), $('empty'), {
    me: $('nickname').textContent,
    chosen: (number) => choose(number, true),
    moderate: document.querySelector('.who .chip').textContent.includes('moderator') ? moderate : undefined,
  })
  room = { map, talk }
  $('zoom-in').addEventListener('click', map.zoomIn)
  $('zoom-out').addEventListener('click', map.zoomOut)
  $('zoom-all').addEventListener('click', map.all)
  $('zoom-me').addEventListener('click', map.here)
  connect()
}

/** The login's cookie opens the socket; `expiring` asks to be warned before the lease ends. */
function connect() {
  let ending
  state('waiting', 'Connecting')
  socket = io({ auth: { expiring: true } })
  socket.on('connect', () => (ending = undefined))
  socket.on('welcome', ({ ends_in, history }) => {
    state('open', 'Connected')
    room.map.clear()
    room.talk.clear()
    for (const line of history) take(line)
    if (ends_in > 30) until(ends_in)
    else expiring(ends_in)
    ready()
  })
  socket.on('incoming message', take)
  socket.on('message removed', ({ number }) => {
    room.map.remove(number)
    room.talk.remove(number)
  })
  socket.on('muted', ({ nickname, minutes }) =>
    room.talk.note(`${nickname} is quiet for ${minutes} minutes.`),
  )
  socket.on('auth_error', (error) => refused(error))
  socket.on('auth_expiring', (told) => expiring(told.in))
  socket.on('auth_end', (told) => {
    // A server that shuts down comes back, and so does the client by itself.
    if (told.advice !== 'reconnect') ending = told.reason
  })
  socket.on('disconnect', (why) => {
    ready()
    if (ending !== undefined) over(ending)
    else if (why === 'io server disconnect') over('missing_credential')
    else if (why !== 'io client disconnect') state('waiting', 'Connection lost, trying again')
  })
  socket.on('connect_error', (error) => {
    if (error.data === undefined) state('waiting', 'Server not reached, trying again')
    else if (error.data.advice === 'reconnect' || error.data.advice === 'back_off') {
      state('waiting', 'Server busy, trying again')
      setTimeout(() => socket.connect(), 1_000 * (error.data.retry_in ?? 5))
    } else over(error.data.reason)
  })
}

function take(line) {
  room.talk.add(line)
  room.map.add(line)
}

$('composer').addEventListener('submit', (event) => {
  event.preventDefault()
  void send()
})
$('message').addEventListener('input', ready)
$('message').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.isComposing) return
  event.preventDefault()
  void send()
})

/** What is written: one line. */
const written = () => $('message').value.replaceAll(/\s+/g, ' ').trim()

function ready() {
  const length = Array.from(written()).length
  $('count').textContent = `${length} / ${maxCharacters}`
  $('count').toggleAttribute('data-over', length > maxCharacters)
  $('send').disabled = socket?.connected !== true || length === 0 || length > maxCharacters
  $('refusal').textContent = ''
}

/** The server judges every message anew; what this page holds back spares a round trip, no more. */
async function send() {
  if ($('send').disabled) return
  const message = written()
  $('send').disabled = true
  const answer = await ask('outgoing message', { message, ...position })
  if (answer.error !== undefined) {
    ready()
    refused(answer.error)
    return
  }
  if (written() === message) $('message').value = ''
  ready()
}

const moderate = {
  remove: async (number) => told(await ask('remove message', { number })),
  mute: async (nickname) => told(await ask('mute', { nickname, minutes: 5 })),
}

function told({ error }) {
  if (error !== undefined) refused(error)
}

function refused(error) {
  $('refusal').textContent = refusalWords(error)
}

/** One event and its acknowledgement. */
function ask(event, body) {
  return socket
    .timeout(8_000)
    .emitWithAck(event, body)
    .catch(() => ({ error: { reason: 'late' } }))
}

function state(name, words) {
  $('state').dataset.state = name
  $('state-words').textContent = words
}

/** The lease as it was granted, then counted down once the server warns. */
function until(seconds) {
  clearInterval(leaseTimer)
  const end = new Date(Date.now() + seconds * 1_000)
  const words = end.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
  $('lease').textContent = `Login good until ${words}`
  $('lease').classList.remove('lease-due')
}

function expiring(seconds) {
  const end = Date.now() + seconds * 1_000
  const tick = () => {
    const left = Math.max(0, Math.round((end - Date.now()) / 1_000))
    $('lease').textContent = `Login ends in ${left} s`
  }
  $('lease').classList.add('lease-due')
  clearInterval(leaseTimer)
  leaseTimer = setInterval(tick, 1_000)
  tick()
}

/** The end is final: the composer makes room for the reason. */
function over(reason) {
  clearInterval(leaseTimer)
  socket.disconnect()
  state('closed', 'Closed')
  $('lease').textContent = ''
  $('composer').hidden = true
  const link = document.createElement('a')
  link.href = '/login'
  link.textContent = 'Log in'
  $('over').replaceChildren(`${endings[reason] ?? 'The server closed this connection.'} `, link)
  $('over').hidden = false
}
