import { createElement, StrictMode, type ReactElement, type ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { act, create, type ReactTestRenderer } from 'react-test-renderer'
import { describe, expect, onTestFinished, test } from 'vitest'
import { firstMessage as messageCarrier } from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { CountersignSocket, firstMessage } from '../../../packages/countersign/src/client/index.ts'
import { useCountersignSocket } from '../../../packages/countersign/src/client/react.ts'
import { openGuarded, until, type Door } from '../support/sockets.ts'
import { ticketsOf } from './client.ts'

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })

const openDoor = (): Promise<Door> => openGuarded({ accept: [ticket({ from: messageCarrier() })] })

interface PanelProps {
  readonly room: string
  readonly open: (room: string) => CountersignSocket
  readonly onMessage?: (data: unknown) => void
}

function Panel({ room, open, onMessage }: PanelProps): ReactNode {
  const view = useCountersignSocket(
    () => open(room),
    [room],
    ({ data }) => onMessage?.(data),
  )
  return createElement(
    'button',
    { onClick: () => view.send(`to ${room}`) },
    [view.status, view.code, view.reason].join(' ').trim(),
  )
}

/** Renders, and unmounts when the test is over. */
async function render(element: ReactElement): Promise<ReactTestRenderer> {
  const made: ReactTestRenderer[] = []
  await act(async () => void made.push(create(element)))
  const [rendered] = made
  if (rendered === undefined) throw new Error('nothing was rendered')
  onTestFinished(async () => act(async () => rendered.unmount()))
  return rendered
}

const textOf = (renderer: ReactTestRenderer): string => renderer.root.findByType('button').children.join('')

describe('the hook', () => {
  test('opens with its component, tells how the socket stands, sends and hears', async () => {
    const door = await openDoor()
    const heard: unknown[] = []
    const carrier = firstMessage(ticketsOf(door))
    const open = (): CountersignSocket => new CountersignSocket(`ws://127.0.0.1:${door.port}/`, { carrier })
    const panel = createElement(Panel, { room: 'a', open, onMessage: (data) => heard.push(data) })
    const renderer = await render(panel)
    await act(async () => until(() => door.guests.length === 1))
    await act(async () => new Promise((resolve) => setTimeout(resolve, 50)))
    expect(textOf(renderer)).toBe('open')
    door.guests[0]?.socket.send('hello')
    await until(() => heard.length === 1)
    renderer.root.findByType('button').props['onClick']()
    await until(() => door.guests[0]?.messages[0] === 'to a')
    await act(async () => {
      await door.guard.revoke({ subject: 'alice' })
      await new Promise((resolve) => setTimeout(resolve, 100))
    })
    expect(textOf(renderer)).toBe('closed 3003 revoked')
  })

  test('opens another socket when what it depends upon changes, and closes the last one with the component', async () => {
    const door = await openDoor()
    const rooms: string[] = []
    const carrier = firstMessage(ticketsOf(door))
    const open = (room: string): CountersignSocket => {
      rooms.push(room)
      return new CountersignSocket(`ws://127.0.0.1:${door.port}/`, { carrier })
    }
    const renderer = await render(createElement(Panel, { room: 'a', open }))
    await act(async () => until(() => door.guests.length === 1))
    await act(async () => renderer.update(createElement(Panel, { room: 'a', open })))
    expect(rooms).toEqual(['a'])
    await act(async () => renderer.update(createElement(Panel, { room: 'b', open })))
    await act(async () => until(() => door.guests.length === 2))
    expect(rooms).toEqual(['a', 'b'])
    await act(async () => renderer.unmount())
    await until(() => door.wss.clients.size === 0)
  })

  test('leaves one socket behind in strict mode, which mounts everything twice', async () => {
    const door = await openDoor()
    const carrier = firstMessage(ticketsOf(door))
    const open = (): CountersignSocket => new CountersignSocket(`ws://127.0.0.1:${door.port}/`, { carrier })
    const panel = createElement(Panel, { room: 'a', open })
    await render(createElement(StrictMode, undefined, panel))
    await act(async () => until(() => door.guests.length === 1))
    await act(async () => new Promise((resolve) => setTimeout(resolve, 100)))
    expect(door.wss.clients.size).toBe(1)
    expect(door.guests).toHaveLength(1)
  })

  test('opens nothing on a server', () => {
    const open = (): CountersignSocket => {
      throw new Error('opened')
    }
    const html = renderToString(createElement(Panel, { room: 'a', open }))
    expect(html).toBe('<button>connecting</button>')
  })
})
