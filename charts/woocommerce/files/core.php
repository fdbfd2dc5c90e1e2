<?php
/**
 * The first of the two steps of install.php, in a WordPress that loads no plugin yet: creates the tables and the
 * administrator, selects the theme and activates WooCommerce.
 *
 * "Coming soon" is disabled before WooCommerce is activated. If the option is not set, WooCommerce enables it on the
 * owner's first visit to wp-admin, and guests no longer see the shop.
 */

require __DIR__ . '/step.php';

define('WP_INSTALLING', true);
simulate_request();
require wordpress_root() . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

disable_mail();
$name = getenv('URUMI_ADMIN_USERNAME');
$email = getenv('URUMI_ADMIN_EMAIL');
$password = getenv('URUMI_ADMIN_PASSWORD');
if (!is_blog_installed()) {
    // A shop on plain http is a trial, which search engines should not index.
    $is_public = str_starts_with(getenv('URUMI_STORE_URL'), 'https:');
    wp_install(getenv('URUMI_STORE_TITLE'), $name, $email, $is_public, '', wp_slash($password));
    log_progress('WordPress ' . wp_get_wp_version() . ' installed.');
}
wp_installing(false);
if (!username_exists($name)) {
    // An earlier run was interrupted before it created the account, or the database is a copy of another shop's.
    $user = wp_insert_user(['user_login' => $name, 'user_pass' => $password, 'user_email' => $email, 'role' => 'administrator']);
    if (is_wp_error($user)) {
        abort_install("could not create the administrator $name: " . $user->get_error_message());
    }
    log_progress("administrator $name created.");
}
add_option('woocommerce_coming_soon', 'no');
add_option('woocommerce_store_pages_only', 'no');
if (get_option('urumi_seeded') === false && wp_get_theme('storefront')->errors() === false) {
    switch_theme('storefront');
}
if (!is_plugin_active('woocommerce/woocommerce.php')) {
    $failure = activate_plugin('woocommerce/woocommerce.php');
    if (is_wp_error($failure)) {
        abort_install('could not activate WooCommerce: ' . $failure->get_error_message());
    }
    log_progress('WooCommerce activated.');
}
