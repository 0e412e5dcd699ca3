/** The coastlines of the world as one SVG path: Natural Earth's public domain data, drawn once when the program starts. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { geoEqualEarth, geoGraticule, geoPath } from 'd3-geo'
import { feature } from 'topojson-client'
import type { GeometryObject, Topology } from 'topojson-specification'

/** What the page draws, in units of a picture of `width` × `height`. */
export interface WorldMap {
  readonly width: number
  readonly height: number
  /** What `page/projection.mjs` needs to place a point on the same picture. */
  readonly scale: number
  readonly x: number
  readonly y: number
  readonly sphere: string
  readonly graticule: string
  readonly land: string
}

/** Whole units of this many are fine enough to zoom in sixteenfold. */
const width = 4_000
const margin = 8

/** Draws it in the Equal Earth projection, in which no continent is larger than it is. */
export function worldMap(): WorldMap {
  const sphere = { type: 'Sphere' } as const
  const projection = geoEqualEarth().fitWidth(width - 2 * margin, sphere)
  const [x, y] = projection.translate()
  projection.translate([x + margin, y + margin])
  const path = geoPath(projection).digits(0)
  const height = Math.ceil(path.bounds(sphere)[1][1]) + margin
  return {
    width,
    height,
    scale: projection.scale(),
    x: x + margin,
    y: y + margin,
    sphere: path(sphere) ?? '',
    graticule: path(geoGraticule().step([30, 30])()) ?? '',
    land: path(feature(landTopology(), 'land')) ?? '',
  }
}

function landTopology(): Topology<{ readonly land: GeometryObject }> {
  const file = createRequire(import.meta.url).resolve('world-atlas/land-50m.json')
  // The package documents its shape: one object, `land`.
  return JSON.parse(readFileSync(file, 'utf8')) as Topology<{ readonly land: GeometryObject }>
}
