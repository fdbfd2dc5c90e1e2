/*
 * The settings of the first setup, from the environment. They are validated before anything is written: a wrong country
 * must fail with a clear message, and not as a database constraint in the middle of the setup.
 */

export type Settings = {
  title: string
  countries: string[]
  currency: string
  shippingPrice: number
  sampleProducts: boolean
  administrator: { email: string; password: string }
}

type Environment = Record<string, string | undefined>

export function readSettings(environment: Environment): Settings {
  return {
    title: required(environment, "URUMI_STORE_TITLE"),
    countries: readCountries(required(environment, "URUMI_SHOP_COUNTRIES")),
    currency: matching(required(environment, "URUMI_SHOP_CURRENCY").toLowerCase(), /^[a-z]{3}$/, "a currency code such as usd"),
    shippingPrice: readPrice(required(environment, "URUMI_SHOP_SHIPPING_COST")),
    sampleProducts: environment.URUMI_SHOP_SAMPLES === "true",
    administrator: {
      email: required(environment, "URUMI_ADMIN_EMAIL"),
      password: required(environment, "URUMI_ADMIN_PASSWORD"),
    },
  }
}

function required(environment: Environment, name: string): string {
  const value = environment[name]
  if (!value) {
    throw new Error(`Cannot set up the shop: environment variable ${name} is not set. The chart sets it.`)
  }
  return value
}

function matching(value: string, pattern: RegExp, expected: string): string {
  if (!pattern.test(value)) {
    throw new Error(`Cannot set up the shop: expected ${expected}, got "${value}".`)
  }
  return value
}

function readCountries(text: string): string[] {
  const codes = text.split(",").map((code) => code.trim().toLowerCase())
  return codes.map((code) => matching(code, /^[a-z]{2}$/, "two-letter country codes separated by commas, such as us,ca"))
}

function readPrice(text: string): number {
  const price = Number(text)
  if (!Number.isFinite(price) || price < 0) {
    throw new Error(`Cannot set up the shop: expected a delivery price of 0 or more, got "${text}".`)
  }
  return price
}
