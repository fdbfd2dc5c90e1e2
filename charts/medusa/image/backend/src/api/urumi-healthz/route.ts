/*
 * Reports to the platform whether an order can be placed: 200 if the database and Redis respond, a region contains a
 * country to sell in, and the database contains the storefront's key; otherwise 503 with the reasons. The ingress does not
 * publish this route.
 *
 * `?serving` checks the database and Redis only, for the chart's readiness probe: an owner who deleted the last region
 * needs the admin to create another, and a pod that is not ready does not serve the admin.
 *
 * Both checks run in parallel, each with a deadline, so a probe never hangs. Not checked: whether a product has a price and
 * stock, which the owner decides.
 */
import type { MedusaRequest, MedusaResponse } from "@medusajs/framework/http"
import { ContainerRegistrationKeys } from "@medusajs/framework/utils"
import Redis from "ioredis"

const DEADLINE_MS = 3000

const CAN_SELL = `
  select
    exists (
      select 1 from region r join region_country c on c.region_id = r.id
      where r.deleted_at is null and c.deleted_at is null
    ) as region,
    exists (
      select 1 from api_key k join publishable_api_key_sales_channel s on s.publishable_key_id = k.id
      where k.token = ? and k.revoked_at is null and k.deleted_at is null and s.deleted_at is null
    ) as key`

let redis: Redis | undefined

function redisClient(): Redis {
  if (!redis) {
    redis = new Redis(process.env.REDIS_URL ?? "", { maxRetriesPerRequest: 0, enableOfflineQueue: true })
    // Without a listener ioredis prints every failed connection; the response of the route reports it.
    redis.on("error", () => undefined)
  }
  return redis
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no response within ${DEADLINE_MS / 1000} s`)), DEADLINE_MS)
  })
  try {
    return await Promise.race([work, expired])
  } finally {
    clearTimeout(timer)
  }
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message
}

async function databaseProblems(req: MedusaRequest): Promise<string[]> {
  try {
    const database = req.scope.resolve(ContainerRegistrationKeys.PG_CONNECTION)
    const { rows } = await withDeadline(database.raw(CAN_SELL, [process.env.URUMI_PUBLISHABLE_KEY ?? ""]))
    if ("serving" in req.query) {
      return []
    }
    return [
      ...(rows[0].region ? [] : ["no region contains a country to sell in"]),
      ...(rows[0].key ? [] : ["the storefront's publishable key is missing in the database, revoked, or has no sales channel"]),
    ]
  } catch (error) {
    return [`the database does not respond: ${reason(error)}`]
  }
}

async function redisProblems(): Promise<string[]> {
  try {
    await withDeadline(redisClient().ping())
    return []
  } catch (error) {
    return [`Redis does not respond: ${reason(error)}`]
  }
}

export async function GET(req: MedusaRequest, res: MedusaResponse): Promise<void> {
  const problems = (await Promise.all([databaseProblems(req), redisProblems()])).flat()
  res.set("Cache-Control", "no-store")
  res.status(problems.length ? 503 : 200).json({ status: problems.length ? "unavailable" : "ok", problems })
}
