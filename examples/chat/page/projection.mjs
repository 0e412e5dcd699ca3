/** Places a point on the picture of the world: Equal Earth (Šavrič, Patterson and Jenny 2018), as the server drew it. */

const [a1, a2, a3, a4] = [1.340264, -0.081106, 0.000893, 0.003796]
const m = Math.sqrt(3) / 2

/** Degrees to units of the picture. */
export function project({ scale, x, y }, lat, lon) {
  const [phi, lambda] = [(lat * Math.PI) / 180, (lon * Math.PI) / 180]
  const l = Math.asin(m * Math.sin(phi))
  const l2 = l * l
  const l6 = l2 * l2 * l2
  const across = (lambda * Math.cos(l)) / (m * (a1 + 3 * a2 * l2 + l6 * (7 * a3 + 9 * a4 * l2)))
  const up = l * (a1 + a2 * l2 + l6 * (a3 + a4 * l2))
  return { x: x + scale * across, y: y - scale * up }
}
