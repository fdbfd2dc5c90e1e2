/*
 * What the first setup is told by the environment, checked before anything is written: a wrong country must fail in
 * words and at once, and not as a constraint of the database after half of the work.
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
    currency: matching(required(environment, "URUMI_SHOP_CURRENCY").toLowerCase(), /^[a-z]{3}$/, "a currency, as usd"),
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
    throw new Error(`The variable ${name} is missing; the chart sets it.`)
  }
  return value
}

function matching(value: string, pattern: RegExp, expected: string): string {
  if (!pattern.test(value)) {
    throw new Error(`Expected ${expected}, got "${value}".`)
  }
  return value
}

function readCountries(text: string): string[] {
  const codes = text.split(",").map((code) => code.trim().toLowerCase())
  return codes.map((code) => matching(code, /^[a-z]{2}$/, "countries as two letters with commas between, as us,ca"))
}

function readPrice(text: string): number {
  const price = Number(text)
  if (!Number.isFinite(price) || price < 0) {
    throw new Error(`Expected the price of the delivery as a number from 0, got "${text}".`)
  }
  return price
}
