/*
 * Sets up a shop in an empty database: sales channel, currency, region, taxes, warehouse, shipping, cash on delivery,
 * sample products with stock, and the administrator.
 *
 * Medusa runs this file once per database and records its name in `script_migrations`, so objects that the owner deletes
 * are not created again. An interrupted run is not recorded; the next one finds existing objects by name and creates the
 * rest. Existing shops do not run an edited file, so put a change for them into a new file.
 *
 * The publishable key is not set here. bin/urumi-migrate copies it from the Secret on each run.
 */
import type { MedusaContainer } from "@medusajs/framework/types"
import { ContainerRegistrationKeys, Modules } from "@medusajs/framework/utils"
import {
  createDefaultsWorkflow,
  createRegionsWorkflow,
  createShippingOptionsWorkflow,
  createShippingProfilesWorkflow,
  createStockLocationsWorkflow,
  createTaxRegionsWorkflow,
  createUsersWorkflow,
  linkSalesChannelsToStockLocationWorkflow,
  updateStoresWorkflow,
} from "@medusajs/medusa/core-flows"
import { readSettings, type Settings } from "../setup/settings"
import { createSamples } from "../setup/samples"

const WAREHOUSE = "Warehouse"
const DELIVERY = "Delivery"
const CASH_ON_DELIVERY = "pp_system_default"
const MANUAL_FULFILLMENT = "manual_manual"

type Ids = { id: string }

export default async function firstSetup({ container }: { container: MedusaContainer }): Promise<void> {
  const settings = readSettings(process.env)
  const log = container.resolve(ContainerRegistrationKeys.LOGGER)

  await createDefaultsWorkflow(container).run()
  const [store] = await container.resolve(Modules.STORE).listStores()
  const channelId = store.default_sales_channel_id as string
  await describeStore(container, store.id, settings)
  log.info(`urumi: creating the region with ${settings.countries.join(", ")} and ${settings.currency}`)
  const region = await ensureRegion(container, settings)
  await ensureTaxRegions(container, settings)
  const warehouse = await ensureWarehouse(container, settings, channelId)
  const profile = await ensureProfile(container)
  await ensureShipping(container, settings, warehouse, profile, region)
  if (settings.sampleProducts) {
    log.info("urumi: creating sample products")
    await createSamples(container, settings.currency, channelId, profile.id, warehouse.id)
  }
  await ensureAdministrator(container, settings)
}

async function describeStore(container: MedusaContainer, id: string, settings: Settings): Promise<void> {
  const currencies = [{ currency_code: settings.currency, is_default: true }]
  await updateStoresWorkflow(container).run({
    input: { selector: { id }, update: { name: settings.title, supported_currencies: currencies } },
  })
}

async function ensureRegion(container: MedusaContainer, settings: Settings): Promise<Ids> {
  const [known] = await container.resolve(Modules.REGION).listRegions({ currency_code: settings.currency })
  if (known) {
    return known
  }
  const { result } = await createRegionsWorkflow(container).run({
    input: {
      regions: [
        {
          name: settings.title,
          currency_code: settings.currency,
          countries: settings.countries,
          payment_providers: [CASH_ON_DELIVERY],
        },
      ],
    },
  })
  return result[0]
}

async function ensureTaxRegions(container: MedusaContainer, settings: Settings): Promise<void> {
  const known = await container.resolve(Modules.TAX).listTaxRegions({ country_code: settings.countries })
  const taken = new Set(known.map((each) => each.country_code))
  const missing = settings.countries.filter((code) => !taken.has(code))
  if (missing.length) {
    const input = missing.map((country_code) => ({ country_code, provider_id: "tp_system" }))
    await createTaxRegionsWorkflow(container).run({ input })
  }
}

async function ensureWarehouse(container: MedusaContainer, settings: Settings, channelId: string): Promise<Ids> {
  const [known] = await container.resolve(Modules.STOCK_LOCATION).listStockLocations({ name: WAREHOUSE })
  const warehouse = known ?? (await createWarehouse(container, settings.countries[0]))
  await container.resolve(ContainerRegistrationKeys.LINK).create({
    [Modules.STOCK_LOCATION]: { stock_location_id: warehouse.id },
    [Modules.FULFILLMENT]: { fulfillment_provider_id: MANUAL_FULFILLMENT },
  })
  await linkSalesChannelsToStockLocationWorkflow(container).run({ input: { id: warehouse.id, add: [channelId] } })
  return warehouse
}

async function createWarehouse(container: MedusaContainer, country: string): Promise<Ids> {
  const address = { address_1: "", city: "", country_code: country.toUpperCase() }
  const { result } = await createStockLocationsWorkflow(container).run({
    input: { locations: [{ name: WAREHOUSE, address }] },
  })
  return result[0]
}

async function ensureProfile(container: MedusaContainer): Promise<Ids> {
  const [known] = await container.resolve(Modules.FULFILLMENT).listShippingProfiles({ type: "default" })
  if (known) {
    return known
  }
  const { result } = await createShippingProfilesWorkflow(container).run({
    input: { data: [{ name: "Default", type: "default" }] },
  })
  return result[0]
}

async function ensureShipping(
  container: MedusaContainer,
  settings: Settings,
  warehouse: Ids,
  profile: Ids,
  region: Ids,
): Promise<void> {
  const fulfillment = container.resolve(Modules.FULFILLMENT)
  const known = await fulfillment.listFulfillmentSets({ name: DELIVERY }, { relations: ["service_zones"] })
  const [set] = known.length
    ? known
    : [
        await fulfillment.createFulfillmentSets({
          name: DELIVERY,
          type: "shipping",
          service_zones: [
            {
              name: settings.title,
              geo_zones: settings.countries.map((country_code) => ({ type: "country" as const, country_code })),
            },
          ],
        }),
      ]
  await container.resolve(ContainerRegistrationKeys.LINK).create({
    [Modules.STOCK_LOCATION]: { stock_location_id: warehouse.id },
    [Modules.FULFILLMENT]: { fulfillment_set_id: set.id },
  })
  const zone = set.service_zones[0]
  if (!(await fulfillment.listShippingOptions({ service_zone: { id: zone.id } })).length) {
    await createStandardShipping(container, settings, zone.id, profile.id, region.id)
  }
}

async function createStandardShipping(
  container: MedusaContainer,
  settings: Settings,
  zoneId: string,
  profileId: string,
  regionId: string,
): Promise<void> {
  const amount = settings.shippingPrice
  await createShippingOptionsWorkflow(container).run({
    input: [
      {
        name: "Standard delivery",
        price_type: "flat",
        provider_id: MANUAL_FULFILLMENT,
        service_zone_id: zoneId,
        shipping_profile_id: profileId,
        type: { label: "Standard", description: "At your door in a few days.", code: "standard" },
        prices: [
          { currency_code: settings.currency, amount },
          { region_id: regionId, amount },
        ],
        rules: [
          { attribute: "enabled_in_store", value: "true", operator: "eq" },
          { attribute: "is_return", value: "false", operator: "eq" },
        ],
      },
    ],
  })
}

async function ensureAdministrator(container: MedusaContainer, settings: Settings): Promise<void> {
  const { email, password } = settings.administrator
  const users = container.resolve(Modules.USER)
  const auth = container.resolve(Modules.AUTH)
  const [user] = await users.listUsers({ email })
  const userId =
    user?.id ?? (await createUsersWorkflow(container).run({ input: { users: [{ email }] } })).result[0].id

  const [login] = await auth.listProviderIdentities({ entity_id: email, provider: "emailpass" })
  let identityId = login?.auth_identity_id
  if (!identityId) {
    const { success, authIdentity, error } = await auth.register("emailpass", { body: { email, password } })
    if (!success || !authIdentity) {
      throw new Error(`Could not set the password of administrator ${email}: ${error ?? "Medusa reported no reason"}`)
    }
    identityId = authIdentity.id
  }
  await auth.updateAuthIdentities({ id: identityId, app_metadata: { user_id: userId } })
}
