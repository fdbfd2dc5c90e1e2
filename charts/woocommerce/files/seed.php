<?php
/**
 * The second step of install.php: brings the schema to the image's version, and the first time makes the shop one that
 * takes orders. It ends well only when the shop's own health check finds nothing, and then leaves the mark.
 */

require __DIR__ . '/step.php';

imitate_request();
require wordpress_root() . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

const SAMPLES = [
    ['sample-mug', 'Sample mug', '9.90', 'A mug to try the checkout with.'],
    ['sample-notebook', 'Sample notebook', '5.50', 'A notebook to try the checkout with.'],
    ['sample-bag', 'Sample bag', '14.00', 'A bag to try the checkout with.'],
];

/** What waits in the admin pages for somebody to press "update", after an image with newer code. */
function update_schema(): void
{
    global $wp_db_version;
    if ((int) get_option('db_version') !== $wp_db_version) {
        wp_upgrade();
        say("the tables of WordPress are at $wp_db_version.");
    }
    require_once WC_ABSPATH . 'includes/wc-update-functions.php';
    $found = (string) get_option('woocommerce_db_version');
    $done = 0;
    foreach (WC_Install::get_db_update_callbacks() as $version => $callbacks) {
        if ($found !== '' && version_compare($found, $version, '<')) {
            foreach ($callbacks as $callback) {
                // A callback that works in portions says whether there is more.
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
        say("the tables of WooCommerce went from $found to " . WC()->version . " in $done updates.");
    }
}

/** The settings are the owner's from then on: nothing here is ever written a second time. */
function seed_shop(): void
{
    // What otherwise waits for the first visit of wp-admin. It turns high-performance order storage on, and only in a shop
    // that has no order yet. WooCommerce calls the method internal, the action is not.
    if (is_callable([WC_Install::class, 'newly_installed'])) {
        WC_Install::newly_installed();
    } else {
        do_action('woocommerce_newly_installed');
    }
    WC_Install::create_pages();
    set_options();
    make_shipping_zone();
    set_front_page();
    delete_transient('_wc_activation_redirect'); // the owner's first page is the one asked for, and not a wizard
    if (getenv('URUMI_SHOP_SAMPLES') === 'true') {
        make_samples();
    }
    update_option('urumi_seeded', gmdate('c'));
}

function set_options(): void
{
    $options = [
        'woocommerce_coming_soon' => 'no',
        'woocommerce_store_pages_only' => 'no',
        'woocommerce_default_country' => need('URUMI_SHOP_COUNTRY'),
        'woocommerce_currency' => need('URUMI_SHOP_CURRENCY'),
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

function make_shipping_zone(): void
{
    if (WC_Shipping_Zones::get_zones() !== []) {
        return;
    }
    $zone = new WC_Shipping_Zone();
    $zone->set_zone_name('Everywhere'); // a zone without regions is everywhere
    $zone->save();
    $rate = $zone->add_shipping_method('flat_rate');
    $settings = ['title' => 'Flat rate', 'tax_status' => 'none', 'cost' => need('URUMI_SHOP_SHIPPING_COST')];
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

function make_samples(): void
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

send_no_mail();
if (!class_exists('WooCommerce') || !function_exists('Urumi\problems')) {
    refuse('WooCommerce or the must-use plugin of the image is not loaded: expected both in ' . WP_CONTENT_DIR . '.');
}
update_schema();
if (get_option('urumi_seeded') === false) {
    seed_shop();
    WC()->payment_gateways()->init(); // they have read their settings already
    if (!Automattic\WooCommerce\Utilities\OrderUtil::custom_orders_table_usage_is_enabled()) {
        refuse('orders would be kept in the old tables: expected high-performance order storage to be on.');
    }
    $problems = Urumi\problems();
    if ($problems !== []) {
        delete_option('urumi_seeded');
        refuse('the shop does not take orders yet: ' . implode(' ', $problems));
    }
    say('the shop is made: ' . get_option('woocommerce_default_country') . ', ' . get_option('woocommerce_currency') . '.');
}
// The next request makes the rules anew. Here they would lack products, whose addresses were registered without permalinks.
delete_option('rewrite_rules');
update_option('urumi_revision', need('URUMI_REVISION'), true);
