/**
 * The insecure twin: the same chat without a guard. Every hole in it is on purpose and stands in `holes.json`, so that
 * whoever looks for holes has some to find. It runs on loopback only and takes nothing from `chat.ts` but the page.
 */
import type { Server } from 'node:http'
import { openInsecureEvents } from './insecure-events.ts'
import { openInsecureFrames } from './insecure-frames.ts'
import type { People } from './insecure-people.ts'
import { insecureSite } from './insecure-site.ts'
import type { Chat } from './chat.ts'
import { Room } from './room.ts'
import type { Place, Settings } from './settings.ts'

/** Opens the twin on a server that listens. It never asks which host or page a request is for. */
export async function openTwin(server: Server, { url }: Place, settings: Settings): Promise<Chat> {
  console.error(
    ['', '!! INSECURE TWIN at ' + url, '!! Its holes are on purpose: examples/chat/holes.json.', ''].join(
      '\n',
    ),
  )
  // Whatever a scanner throws at it, it stays up for the next question.
  process.on('uncaughtException', (error) => console.error(error))
  const room = new Room()
  const people: People = new Map()
  server.on('request', insecureSite(people, settings))
  const closeEvents = openInsecureEvents(server, room, people)
  const closeFrames = openInsecureFrames(server, room, people)
  return {
    async close() {
      closeFrames()
      await closeEvents()
    },
  }
}
