const { Modules } = require("@medusajs/framework/utils")

// What the merchant can see of it: a note at the store.
exports.default = async ({ container }) => {
  const stores = container.resolve(Modules.STORE)
  const [store] = await stores.listStores()
  await stores.updateStores(store.id, { metadata: { ...store.metadata, second_setup: "done" } })
}
