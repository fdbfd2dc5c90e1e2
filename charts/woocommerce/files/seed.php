<?php
/**
 * The second step of install.php: updates the schema to the image's version, and on the first run configures the shop so
 * that it accepts orders. It succeeds only if the shop's own health check passes, and then stores the revision.
 */

require __DIR__ . '/step.php';

simulate_request();
require wordpress_root() . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

const SAMPLES = [
    ['sample-mug', 'Sample mug', '9.90', 'A mug to try the checkout with.'],
    ['sample-notebook', 'Sample notebook', '5.50', 'A notebook to try the checkout with.'],
    ['sample-bag', 'Sample bag', '14.00', 'A bag to try the checkout with.'],
];

/** Apply the schema updates that WordPress and WooCommerce otherwise offer in wp-admin after an upgrade. */
function update_schema(): void
{
    global $wp_db_version;
    if ((int) get_option('db_version') !== $wp_db_version) {
        wp_upgrade();
        log_progress("WordPress schema updated to version $wp_db_version.");
    }
    require_once WC_ABSPATH . 'includes/wc-update-functions.php';
    $found = (string) get_option('woocommerce_db_version');
    $done = 0;
    foreach (WC_Install::get_db_update_callbacks() as $version => $callbacks) {
        if ($found !== '' && version_compare($found, $version, '<')) {
            foreach ($callbacks as $callback) {
                // A callback that works in batches returns true until it is done.
                while (call_user_func($callback)) {
                    continue;
                }
                $done++;
            }
        }
    }
    WC_Install::update_db_version();
    WC()->queue()->cancel_all('', [], 'woocommerce-db-updates');
    if ($done > 0) {
        log_progress("WooCommerce schema updated from $found to " . WC()->version . " in $done updates.");
    }
}

/** Configure a new shop. Runs once, because the settings belong to the owner afterwards. */
function seed_shop(): void
{
    // WooCommerce otherwise does this on the first visit of wp-admin. It enables high-performance order storage, but only
    // in a shop without orders. The method is internal to WooCommerce; the action is public.
    if (is_callable([WC_Install::class, 'newly_installed'])) {
        WC_Install::newly_installed();
    } else {
        do_action('woocommerce_newly_installed');
    }
    WC_Install::create_pages();
    set_options();
    create_shipping_zone();
    set_front_page();
    delete_transient('_wc_activation_redirect'); // shows the owner the requested page and not the setup wizard
    if (getenv('URUMI_SHOP_SAMPLES') === 'true') {
        create_samples();
    }
    update_option('urumi_seeded', gmdate('c'));
}

function set_options(): void
{
    $options = [
        'woocommerce_coming_soon' => 'no',
        'woocommerce_store_pages_only' => 'no',
        'woocommerce_default_country' => required_env('URUMI_SHOP_COUNTRY'),
        'woocommerce_currency' => required_env('URUMI_SHOP_CURRENCY'),
        'woocommerce_enable_guest_checkout' => 'yes',
        'woocommerce_allow_tracking' => 'no',
        'woocommerce_show_marketplace_suggestions' => 'no',
        'woocommerce_onboarding_profile' => ['skipped' => true],
        'timezone_string' => 'UTC',
        'default_comment_status' => 'closed',
    ];
    foreach ($options as $name => $value) {
        update_option($name, $value);
    }
    $cash = [
        'enabled' => 'yes',
        'title' => 'Cash on delivery',
        'instructions' => 'Pay with cash upon delivery.',
        'enable_for_methods' => [],
        'enable_for_virtual' => 'yes',
    ];
    update_option('woocommerce_cod_settings', array_merge((array) get_option('woocommerce_cod_settings', []), $cash));
}

function create_shipping_zone(): void
{
    if (WC_Shipping_Zones::get_zones() !== []) {
        return;
    }
    $zone = new WC_Shipping_Zone();
    $zone->set_zone_name('Everywhere'); // a zone without regions applies everywhere
    $zone->save();
    $rate = $zone->add_shipping_method('flat_rate');
    $settings = ['title' => 'Flat rate', 'tax_status' => 'none', 'cost' => required_env('URUMI_SHOP_SHIPPING_COST')];
    update_option("woocommerce_flat_rate_{$rate}_settings", $settings);
}

function set_front_page(): void
{
    $hello = get_page_by_path('hello-world', OBJECT, 'post');
    if ($hello !== null) {
        wp_delete_post($hello->ID, true);
    }
    update_option('show_on_front', 'page');
    update_option('page_on_front', wc_get_page_id('shop'));
    update_option('permalink_structure', '/%postname%/');
}

function create_samples(): void
{
    foreach (SAMPLES as [$sku, $name, $price, $description]) {
        if (wc_get_product_id_by_sku($sku)) {
            continue;
        }
        $product = new WC_Product_Simple();
        $product->set_sku($sku);
        $product->set_name($name);
        $product->set_regular_price($price);
        $product->set_short_description($description);
        $product->set_manage_stock(true);
        $product->set_stock_quantity(100);
        $product->set_status('publish');
        $product->save();
    }
}

disable_mail();
if (!class_exists('WooCommerce') || !function_exists('Urumi\problems')) {
    abort_install('failed to load WooCommerce or the must-use plugin: expected both in ' . WP_CONTENT_DIR . '.');
}
update_schema();
if (get_option('urumi_seeded') === false) {
    seed_shop();
    WC()->payment_gateways()->init(); // reads the settings again
    if (!Automattic\WooCommerce\Utilities\OrderUtil::custom_orders_table_usage_is_enabled()) {
        abort_install('could not enable high-performance order storage: got the legacy order tables.');
    }
    $problems = Urumi\problems();
    if ($problems !== []) {
        delete_option('urumi_seeded');
        abort_install('the shop cannot accept orders: ' . implode(' ', $problems));
    }
    [$country, $currency] = [get_option('woocommerce_default_country'), get_option('woocommerce_currency')];
    log_progress("shop created: $country, $currency.");
}
// The next request generates the rules. Rules generated here would lack products, because their addresses were registered
// before permalinks were enabled.
delete_option('rewrite_rules');
update_option('urumi_revision', required_env('URUMI_REVISION'), true);
