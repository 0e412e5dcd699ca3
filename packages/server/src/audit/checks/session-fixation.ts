/** A10: a session that somebody planted before the login is the user’s after it. */
import { randomBytes } from 'node:crypto'
import type { Check, Finding, Scene } from '../check.ts'
import { Identity, LoginFailed } from '../identity.ts'
import { isSomebody, low, sight } from '../needs.ts'
import type { LoginOptions } from '../options.ts'
import { describeView, type Sight, type Stay } from '../oracle.ts'
import { siteUrl } from '../target.ts'
import { failOr, finding, notTested, pass } from '../verdict.ts'

/** Session fixation. */
export const sessionFixation: Check = {
  id: 'A10',
  title: 'A session id from before the login is good after it',
  cwe: [384],
  asvs: ['7.2.4'],
  safety: 'S',
  needs: [
    sight,
    low,
    {
      missing: 'a login form of the identity "low" (identities.low.form)',
      met: ({ low: identity }) => identity?.options.form !== undefined,
    },
  ],
  why: 'An attacker gives a browser a session id that he knows: by a link, by a neighbouring site, at a shared machine. If the login keeps the id, he has the session of whoever logs in, and sockets opened before become theirs without a sound.',
  remedy: {
    text: 'Make a new session id at every login and forget the old one; never adopt an id that the server has not issued; close sockets that were opened under the old one.',
    ws: 'request.session.regenerate(() => { request.session.user = user; response.redirect("/") }) // and close the sockets of the old id',
    socketIo:
      'request.session.regenerate(() => { request.session.user = user })\nio.in(`session:${oldId}`).disconnectSockets(true)',
    countersign:
      "await guard.revoke({ session: old.id }, 'logged_out')\nconst login = await guard.issue.session({ subject: user })",
  },
  async run(scene) {
    const { low: identity } = scene
    if (identity === undefined) return notTested(low.missing)
    const names = [...new Set(identity.setCookies.map((line) => line.split('=')[0] ?? ''))]
    if (names.length === 0) return pass('the login hands out no cookie that could be planted')
    const madeUp = names.map((name) => `${name}=${randomBytes(16).toString('hex')}`).join('; ')
    const issued = await cookieOfVisitor(scene, identity)
    const trials = [
      await plant(scene, identity, { cookie: madeUp, what: 'an id that was made up' }),
      ...(issued === ''
        ? []
        : [await plant(scene, identity, { cookie: issued, what: 'the id of a visitor' })]),
    ]
    const last = trials.at(-1)?.sight
    return failOr(
      trials.flatMap(({ findings }) => findings),
      pass(
        `with what was planted before the login one is ${last === undefined ? 'refused' : describeView(last.view)} after it`,
        ...(last === undefined ? [] : [last.exchange]),
      ),
    )
  },
}

/** Cookies that the site gives to whoever looks at its page and its form. */
async function cookieOfVisitor({ needs, endpoint }: Scene, { options: { form } }: Identity): Promise<string> {
  const visitor = new Identity('low', {}, { needs, endpoint })
  const pages = new Set([endpoint.page?.href, siteUrl(endpoint, form?.url ?? '/').href])
  for (const page of pages) if (page !== undefined) await visitor.ask(new URL(page), { method: 'GET' })
  return visitor.setCookies.map((line) => line.split(';')[0] ?? '').join('; ')
}

interface Trial {
  readonly findings: readonly Finding[]
  readonly sight: Sight | undefined
}

/** Plants a cookie, opens a socket with it, lets the user log in in that browser, and looks what both are worth then. */
async function plant(
  scene: Scene,
  identity: Identity,
  { cookie, what }: { readonly cookie: string; readonly what: string },
): Promise<Trial> {
  const place = { needs: scene.needs, endpoint: scene.endpoint }
  const { token } = identity.options
  const bare: LoginOptions = { cookie, ...(token === undefined ? {} : { token }) }
  const { stepping } = identity
  const ways = [bare, ...(stepping === undefined ? [] : [{ ...stepping, ...bare }])]
  const attacker = (options: LoginOptions): Identity => new Identity('low', options, place)
  const victim = new Identity('low', { ...identity.options, cookie }, place)
  const early = await enter(attacker(bare), (presented) => scene.oracle.stay(presented))
  try {
    if (early !== undefined && isSomebody(early.view, scene)) return { findings: [], sight: early }
    await victim.present()
    const late: (Sight | undefined)[] = []
    for (const options of ways)
      late.push(await enter(attacker(options), (presented) => scene.oracle.look(presented)))
    const gained = late.find((sight) => sight !== undefined && isSomebody(sight.view, scene))
    return {
      findings: [...fixed(scene, gained, what), ...(await elevated(scene, early, what))],
      sight: gained ?? late[0],
    }
  } catch (error) {
    // A login that refuses what was planted is no hole.
    if (error instanceof LoginFailed) return { findings: [], sight: early }
    throw error
  } finally {
    await early?.visit.leave()
  }
}

/** Enters as somebody who may not even get a token. */
async function enter<S>(
  identity: Identity,
  by: (presented: Awaited<ReturnType<Identity['present']>>) => Promise<S>,
): Promise<S | undefined> {
  try {
    return await by(await identity.present())
  } catch (error) {
    if (error instanceof LoginFailed) return undefined
    throw error
  }
}

function fixed(scene: Scene, late: Sight | undefined, what: string): readonly Finding[] {
  if (late === undefined || !isSomebody(late.view, scene)) return []
  const says = `${what} before the login opens a socket after it: ${describeView(late.view)}`
  return [finding('high', says, { subject: what, exchanges: [late.exchange] })]
}

async function elevated(scene: Scene, early: Stay | undefined, what: string): Promise<readonly Finding[]> {
  if (early === undefined || !early.visit.live) return []
  const view = await scene.oracle.ask(early.visit)
  if (!isSomebody(view, scene)) return []
  const says = `a socket that was opened with ${what} became the user’s when he logged in elsewhere: ${describeView(view)}`
  return [finding('medium', says, { subject: `socket of ${what}`, exchanges: [early.exchange] })]
}
