/** The map: coastlines, markers, and a view that zooms and moves. */
import { project } from './projection.mjs'

const svg = (name, attributes) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
  return made
}

const maxZoom = 16
const markerRadius = 7

/** Draws the map into `picture`; `frame` hears keys and pointers. `chosen(number)` is called when a marker is picked. */
export function createMap(frame, picture, { world, chosen }) {
  const markers = new Map()
  const layer = svg('g', {})
  const own = svg('circle', { class: 'marker-me', r: markerRadius })
  own.style.display = 'none'
  picture.append(
    svg('path', { class: 'sphere', d: world.sphere }),
    svg('path', { class: 'graticule', d: world.graticule }),
    svg('path', { class: 'land', d: world.land }),
    layer,
    own,
  )

  let zoom = 1
  let centre = { x: world.width / 2, y: world.height / 2 }
  let me

  const clamp = (value, least, most) => Math.min(Math.max(value, least), most)
  /** Units of the picture in one pixel of the screen. */
  const unit = () => Math.max(world.width / picture.clientWidth, world.height / picture.clientHeight) / zoom

  const show = () => {
    const [width, height] = [world.width / zoom, world.height / zoom]
    centre = {
      x: clamp(centre.x, width / 2, world.width - width / 2),
      y: clamp(centre.y, height / 2, world.height - height / 2),
    }
    picture.setAttribute('viewBox', `${centre.x - width / 2} ${centre.y - height / 2} ${width} ${height}`)
    const perPixel = unit()
    if (!Number.isFinite(perPixel)) return
    for (const marker of [own, ...markers.values()]) {
      marker.setAttribute('r', markerRadius * perPixel)
      marker.setAttribute('stroke-width', 2 * perPixel)
    }
  }

  const zoomTo = (next, at = centre) => {
    const to = clamp(next, 1, maxZoom)
    const share = zoom / to
    centre = { x: at.x + (centre.x - at.x) * share, y: at.y + (centre.y - at.y) * share }
    zoom = to
    show()
  }
  const move = (x, y) => {
    centre = { x: centre.x + x, y: centre.y + y }
    show()
  }
  const look = (at, closer) => {
    zoom = Math.max(zoom, closer)
    centre = at
    show()
  }
  const all = () => {
    zoom = 1
    show()
  }

  listen(frame, picture, { zoomBy: (factor, at) => zoomTo(zoom * factor, at), move, all, unit })
  new ResizeObserver(show).observe(picture)
  show()

  return {
    zoomIn: () => zoomTo(zoom * 2),
    zoomOut: () => zoomTo(zoom / 2),
    all,
    here: () => me !== undefined && look(me, 6),
    setMe({ lat, lon }) {
      me = project(world, lat, lon)
      own.setAttribute('cx', me.x)
      own.setAttribute('cy', me.y)
      own.style.display = ''
    },
    add({ number, lat, lon }) {
      if (markers.has(number)) return
      const { x, y } = project(world, lat, lon)
      const marker = svg('circle', { class: 'marker', cx: x, cy: y })
      marker.addEventListener('click', () => chosen(number))
      for (const each of markers.values()) each.classList.remove('marker-latest')
      marker.classList.add('marker-latest')
      markers.set(number, marker)
      layer.append(marker)
      show()
      while (markers.size > 100) this.remove(markers.keys().next().value)
    },
    remove(number) {
      markers.get(number)?.remove()
      markers.delete(number)
    },
    clear() {
      for (const number of markers.keys()) this.remove(number)
    },
    highlight(number, follow) {
      for (const [each, marker] of markers) marker.classList.toggle('marker-chosen', each === number)
      const marker = markers.get(number)
      if (marker === undefined) return
      layer.append(marker)
      if (follow) look({ x: Number(marker.getAttribute('cx')), y: Number(marker.getAttribute('cy')) }, 3)
    },
  }
}

/** Keys on the frame, dragging and the wheel on the picture. */
function listen(frame, picture, { zoomBy, move, all, unit }) {
  const keys = {
    ArrowLeft: () => move(-60 * unit(), 0),
    ArrowRight: () => move(60 * unit(), 0),
    ArrowUp: () => move(0, -60 * unit()),
    ArrowDown: () => move(0, 60 * unit()),
    '+': () => zoomBy(2),
    '=': () => zoomBy(2),
    '-': () => zoomBy(0.5),
    0: all,
  }
  frame.addEventListener('keydown', (event) => {
    if (event.target !== frame || event.ctrlKey || event.metaKey || event.altKey) return
    const act = keys[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  })
  const at = (event) =>
    new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse())
  picture.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault()
      zoomBy(event.deltaY < 0 ? 1.25 : 0.8, at(event))
    },
    { passive: false },
  )
  let held
  picture.addEventListener('pointerdown', (event) => {
    held = { x: event.clientX, y: event.clientY, moved: false }
  })
  picture.addEventListener('pointermove', (event) => {
    if (held === undefined) return
    const [x, y] = [event.clientX - held.x, event.clientY - held.y]
    if (!held.moved && Math.hypot(x, y) < 4) return
    if (!held.moved) picture.setPointerCapture(event.pointerId)
    move(-x * unit(), -y * unit())
    held = { x: event.clientX, y: event.clientY, moved: true }
  })
  for (const end of ['pointerup', 'pointercancel']) picture.addEventListener(end, () => (held = undefined))
}
