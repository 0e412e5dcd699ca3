/** Where the visitor is, rounded before anything else sees it. */

/** To about 100 m, as the server does once more. */
const round = (degrees) => Math.round(degrees * 1_000) / 1_000

/** Asks the browser. @returns `{ lat, lon }`, or `{ problem }` with a sentence for the visitor */
export function askPosition() {
  if (!('geolocation' in navigator) || !isSecureContext) {
    return Promise.resolve({
      problem: 'This browser tells positions to secure pages only, and this page is not one.',
    })
  }
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lat: round(coords.latitude), lon: round(coords.longitude) }),
      ({ code }) => resolve({ problem: problems[code] ?? problems[2] }),
      { enableHighAccuracy: false, maximumAge: 60_000, timeout: 20_000 },
    )
  })
}

/** By the codes of GeolocationPositionError. */
const problems = {
  1: 'Your browser was told to keep your position to itself, so the chat stays closed. To come in, allow the position for this site in the address bar, then ask again.',
  2: 'Your browser could not find out where it is. Check that location services are on, then ask again.',
  3: 'Your browser took too long to find out where it is. Ask again.',
}

/** Calls back whenever the permission is taken away while the page is open, where browsers tell. */
export async function whenRefused(listener) {
  const status = await navigator.permissions?.query({ name: 'geolocation' }).catch(() => undefined)
  status?.addEventListener('change', () => {
    if (status.state === 'denied') listener(problems[1])
  })
}

/** For people: 48.137° N, 11.575° E. */
export function coordinates({ lat, lon }) {
  const part = (degrees, plus, minus) => `${Math.abs(degrees).toFixed(3)}° ${degrees < 0 ? minus : plus}`
  return `${part(lat, 'N', 'S')}, ${part(lon, 'E', 'W')}`
}
