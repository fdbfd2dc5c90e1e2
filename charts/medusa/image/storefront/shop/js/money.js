/** Format an amount in the currency and in the language of the browser. */
export function money(amount, currency) {
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(amount ?? 0);
}
