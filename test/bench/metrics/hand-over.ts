import { alternate, type Figure, figureOf, type Sample } from "../figure.ts"
import { createStream } from "../fill.ts"
import type { Stage } from "../stage.ts"

const HAND_OVER_MS_MAX = 200

/**
 * Two tabs of one browser: from `close()` in the one that leads to the status of the other, which says that it leads
 * now. Raw: a lock of the browser, from being let go to being held. Both tabs read the system's clock.
 */
export async function measureHandOver(stage: Stage): Promise<Figure[]> {
  const sides = await stage.withBrowser((newPage) =>
    alternate(stage.rounds, {
      async raw(): Promise<Sample> {
        const [leader, follower] = [await newPage(), await newPage()]
        const name = stage.fresh("lock")
        await leader.evaluate((lock) => bench.rawLock.ask(lock), name)
        await leader.evaluate(() => bench.rawLock.whenHeld())
        await follower.evaluate((lock) => bench.rawLock.ask(lock), name)
        await follower.evaluate(() => navigator.locks.query()) // it stands in the queue
        const held = follower.evaluate(() => bench.rawLock.whenHeld())
        const letGo = await leader.evaluate(() => bench.rawLock.letGo())
        const ms = (await held) - letGo
        await Promise.all([leader.close(), follower.close()])
        return { ms }
      },
      async ours(): Promise<Sample> {
        const [leader, follower] = [await newPage(), await newPage()]
        const place = { edge: stage.edge, path: stage.fresh("hand-over"), account: stage.fresh("account") }
        await createStream(stage.urlOf(place.path))
        for (const page of [leader, follower]) await page.evaluate((at) => bench.log.follow(at), place)
        const roles = [
          await leader.evaluate(() => bench.log.role()),
          await follower.evaluate(() => bench.log.role()),
        ]
        if (roles.join() !== "leader,follower") throw new Error(`The tabs are ${roles.join(" and ")}.`)
        const leads = follower.evaluate(() => bench.log.whenLeader())
        const closed = await leader.evaluate(() => bench.log.close())
        const ms = (await leads) - closed
        await Promise.all([leader.close(), follower.close()])
        return { ms }
      },
    }),
  )
  const what = "hand-over of the leadership, from close to the other tab's status"
  return [figureOf(sides, "ms", { what, unit: "ms", target: { atMost: HAND_OVER_MS_MAX } })]
}
