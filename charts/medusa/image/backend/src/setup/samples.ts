/*
 * Four sample products. Their pictures are files of the storefront on the same host, so nothing is loaded from other hosts.
 * Prices are the same number in every currency.
 */
import type { MedusaContainer } from "@medusajs/framework/types"
import { ContainerRegistrationKeys, Modules, ProductStatus } from "@medusajs/framework/utils"
import { createInventoryLevelsWorkflow, createProductsWorkflow } from "@medusajs/medusa/core-flows"

const STOCK = 100

type Sample = {
  handle: string
  title: string
  description: string
  price: number
  option: string
  values: string[]
}

const SAMPLES: Sample[] = [
  {
    handle: "stoneware-mug",
    title: "Stoneware mug",
    description: "Thrown by hand and glazed twice, it holds 300 ml and keeps the warmth. It may go into the dishwasher.",
    price: 18,
    option: "Colour",
    values: ["Sand", "Slate"],
  },
  {
    handle: "canvas-tote",
    title: "Canvas tote",
    description: "Heavy cotton with long handles and one inner pocket. It carries the week's shopping and folds flat.",
    price: 24,
    option: "Size",
    values: ["Medium", "Large"],
  },
  {
    handle: "dotted-notebook",
    title: "Dotted notebook",
    description: "192 pages of thick paper, sewn so that it lies open, with a ribbon and numbered pages.",
    price: 14,
    option: "Format",
    values: ["A5"],
  },
  {
    handle: "beeswax-candle",
    title: "Beeswax candle",
    description: "Poured from local beeswax, with a cotton wick. It burns for about 40 hours and smells of honey.",
    price: 12,
    option: "Size",
    values: ["Small", "Tall"],
  },
]

export async function createSamples(
  container: MedusaContainer,
  currency: string,
  channelId: string,
  profileId: string,
  warehouseId: string,
): Promise<void> {
  const handles = SAMPLES.map((sample) => sample.handle)
  const known = await container.resolve(Modules.PRODUCT).listProducts({ handle: handles })
  const taken = new Set(known.map((product) => product.handle))
  const products = SAMPLES.filter((sample) => !taken.has(sample.handle)).map((sample) => ({
    title: sample.title,
    handle: sample.handle,
    description: sample.description,
    thumbnail: `/samples/${sample.handle}.svg`,
    images: [{ url: `/samples/${sample.handle}.svg` }],
    status: ProductStatus.PUBLISHED,
    shipping_profile_id: profileId,
    sales_channels: [{ id: channelId }],
    options: [{ title: sample.option, values: sample.values }],
    variants: sample.values.map((value) => ({
      title: value,
      sku: `${sample.handle}-${value}`.toLowerCase(),
      manage_inventory: true,
      options: { [sample.option]: value },
      prices: [{ currency_code: currency, amount: sample.price }],
    })),
  }))
  if (products.length) {
    await createProductsWorkflow(container).run({ input: { products } })
  }
  await ensureStock(container, warehouseId)
}

async function ensureStock(container: MedusaContainer, warehouseId: string): Promise<void> {
  const skus = SAMPLES.flatMap((sample) => sample.values.map((value) => `${sample.handle}-${value}`.toLowerCase()))
  const query = container.resolve(ContainerRegistrationKeys.QUERY)
  const { data } = await query.graph({
    entity: "inventory_item",
    fields: ["id", "sku", "location_levels.location_id"],
    filters: { sku: skus },
  })
  const unstocked = data.filter((item) => !(item.location_levels ?? []).some((level: { location_id?: string } | null) => level?.location_id === warehouseId))
  if (unstocked.length) {
    const inventory_levels = unstocked.map((item) => ({
      inventory_item_id: item.id,
      location_id: warehouseId,
      stocked_quantity: STOCK,
    }))
    await createInventoryLevelsWorkflow(container).run({ input: { inventory_levels } })
  }
}
