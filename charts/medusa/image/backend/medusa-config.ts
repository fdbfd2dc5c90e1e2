/*
 * The configuration of one store's backend. All of it comes from the environment, which the chart sets
 * (templates/_env.tpl).
 *
 * Redis stores sessions, events, locks and running workflows, so a restart of the backend loses none of them.
 * `medusa build` reads this file without the variables, so none of them may be required here.
 */
import { defineConfig } from "@medusajs/framework/utils"

const redisUrl = process.env.REDIS_URL
const storeUrl = process.env.URUMI_STORE_URL ?? ""

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    redisUrl,
    workerMode: (process.env.MEDUSA_WORKER_MODE ?? "shared") as "shared" | "server" | "worker",
    http: {
      storeCors: process.env.STORE_CORS ?? storeUrl,
      adminCors: process.env.ADMIN_CORS ?? storeUrl,
      authCors: process.env.AUTH_CORS ?? storeUrl,
      jwtSecret: process.env.JWT_SECRET,
      cookieSecret: process.env.COOKIE_SECRET,
    },
    // Browsers reject a Secure cookie over plain http, which would make signing in to the admin impossible.
    cookieOptions: { secure: process.env.URUMI_COOKIE_SECURE !== "false", sameSite: "lax", httpOnly: true },
  },
  admin: { disable: process.env.DISABLE_MEDUSA_ADMIN === "true" },
  modules: [
    { resolve: "@medusajs/medusa/event-bus-redis", options: { redisUrl } },
    { resolve: "@medusajs/medusa/workflow-engine-redis", options: { redis: { redisUrl } } },
    {
      resolve: "@medusajs/medusa/locking",
      options: {
        providers: [
          { resolve: "@medusajs/medusa/locking-redis", id: "locking-redis", is_default: true, options: { redisUrl } },
        ],
      },
    },
    {
      resolve: "@medusajs/medusa/file",
      options: {
        providers: [
          {
            resolve: "@medusajs/medusa/file-local",
            id: "local",
            options: { upload_dir: "static", backend_url: `${storeUrl}/static` },
          },
        ],
      },
    },
  ],
})
