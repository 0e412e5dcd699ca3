/**
 * Values that the environment lends to a configuration.
 *
 * Two notations, and never both in one place: `"$NAME"` as a whole text, for ports, file names and the like;
 * `${NAME}`, whole or part, for secrets. A `$` in a secret is otherwise a `$`: `Xy$h2l-D` is taken literally.
 */
import { resolve } from 'node:path'
import { complain, text, whole, type Reader, type Spot } from './reader.ts'

const name = /^[A-Za-z_][A-Za-z0-9_]*$/
const maxSecretLength = 4_096

/** A secret: literal, or with `${NAME}` in it. A variable that is not set is an error, as an empty secret is. */
export const secretText: Reader<string> = (spot) => {
  const written = text(maxSecretLength)(spot)
  const filled = written.replaceAll(/\$\{([^{}]*)\}/g, (_, variable: string) => variableOf(spot, variable))
  if (filled.length > maxSecretLength) complain(spot, `is longer than ${maxSecretLength} characters`)
  return filled
}

/** A text, or `"$NAME"` in its place. */
export const lentText: Reader<string> = (spot) => {
  const written = text(4_096)(spot)
  const variable = written.startsWith('$') ? written.slice(1) : ''
  return name.test(variable) ? variableOf(spot, variable) : written
}

/** The name of a file, absolute: relative ones are seen from the folder of the configuration. */
export const fileName: Reader<string> = (spot) => {
  const written = lentText(spot)
  if (written.includes('\0')) complain(spot, 'is no name of a file')
  return resolve(spot.reading.folder, written)
}

/** A port from 0 (any that is free) to 65,535; digits as text are as good, and so is `"$NAME"`. */
export const port: Reader<number> = (spot) => {
  const number = whole(0, 65_535)
  if (typeof spot.value !== 'string') return number(spot)
  const written = lentText(spot)
  return number({ ...spot, value: /^\d{1,5}$/.test(written) ? Number(written) : written })
}

/** What a variable holds. Its name may be told, its value never. */
function variableOf(spot: Spot, variable: string): string {
  if (!name.test(variable)) {
    complain(spot, 'holds "${…}" around what is no name of a variable')
    return ''
  }
  const { environment } = spot.reading
  const value = Object.hasOwn(environment, variable) ? environment[variable] : undefined
  if (value === undefined || value === '') {
    complain(
      spot,
      `needs the environment variable ${variable}, which is ${value === '' ? 'empty' : 'not set'}`,
    )
  }
  return value ?? ''
}
