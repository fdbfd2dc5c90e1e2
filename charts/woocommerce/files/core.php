<?php
/**
 * The first of the two steps of install.php: tables, administrator, theme, and WooCommerce activated, in a WordPress that
 * loads no plugin yet.
 *
 * "Coming soon" is turned off before WooCommerce is activated: it is turned on for every shop that does not say
 * otherwise, on its owner's first visit to wp-admin, and from then on guests see no shop.
 */

require __DIR__ . '/step.php';

define('WP_INSTALLING', true);
imitate_request();
require wordpress_root() . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

send_no_mail();
$name = getenv('URUMI_ADMIN_USERNAME');
$email = getenv('URUMI_ADMIN_EMAIL');
$password = getenv('URUMI_ADMIN_PASSWORD');
if (!is_blog_installed()) {
    // A shop on plain http is somebody's trial, and search engines should not keep it.
    $is_public = str_starts_with(getenv('URUMI_STORE_URL'), 'https:');
    wp_install(getenv('URUMI_STORE_TITLE'), $name, $email, $is_public, '', wp_slash($password));
    say('WordPress ' . wp_get_wp_version() . ' is installed.');
}
wp_installing(false);
if (!username_exists($name)) {
    // An earlier run ended between the tables and the account, or the database is a copy of another shop's.
    $user = wp_insert_user(['user_login' => $name, 'user_pass' => $password, 'user_email' => $email, 'role' => 'administrator']);
    if (is_wp_error($user)) {
        refuse("the administrator $name could not be made: " . $user->get_error_message());
    }
    say("the administrator $name is made.");
}
add_option('woocommerce_coming_soon', 'no');
add_option('woocommerce_store_pages_only', 'no');
if (get_option('urumi_seeded') === false && wp_get_theme('storefront')->errors() === false) {
    switch_theme('storefront');
}
if (!is_plugin_active('woocommerce/woocommerce.php')) {
    $failure = activate_plugin('woocommerce/woocommerce.php');
    if (is_wp_error($failure)) {
        refuse('WooCommerce could not be activated: ' . $failure->get_error_message());
    }
    say('WooCommerce is activated.');
}
