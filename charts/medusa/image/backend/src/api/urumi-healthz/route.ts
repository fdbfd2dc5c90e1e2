/*
 * Whether an order can be placed, for the platform: 200 when the database and Redis answer, there is a region with a
 * country to sell in, and the storefront's key is known; 503 with the reasons otherwise. The ingress does not publish it.
 *
 * `?serving` asks about database and Redis only. The chart's readiness probe asks that: an owner who deleted the last
 * region needs the admin to make another, and a pod that is not ready has no admin.
 *
 * Each question has a deadline, as a probe that hangs tells nothing. Not answered here: whether a product has a price
 * and stock, which is the owner's business and no fault.
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
    // Without a listener every failed attempt to connect would be printed; the answer of the route says it.
    redis.on("error", () => undefined)
  }
  return redis
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${DEADLINE_MS / 1000} s`)), DEADLINE_MS)
  })
  try {
    return await Promise.race([work, late])
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
    const { rows } = await inTime(database.raw(CAN_SELL, [process.env.URUMI_PUBLISHABLE_KEY ?? ""]))
    if ("serving" in req.query) {
      return []
    }
    return [
      ...(rows[0].region ? [] : ["there is no region with a country to sell in"]),
      ...(rows[0].key ? [] : ["the storefront's key is unknown, revoked, or belongs to no sales channel"]),
    ]
  } catch (error) {
    return [`the database does not answer: ${reason(error)}`]
  }
}

async function redisProblems(): Promise<string[]> {
  try {
    await inTime(redisClient().ping())
    return []
  } catch (error) {
    return [`Redis does not answer: ${reason(error)}`]
  }
}

export async function GET(req: MedusaRequest, res: MedusaResponse): Promise<void> {
  const problems = (await Promise.all([databaseProblems(req), redisProblems()])).flat()
  res.set("Cache-Control", "no-store")
  res.status(problems.length ? 503 : 200).json({ status: problems.length ? "unavailable" : "ok", problems })
}
