<?php
// Makes the tables and the administrator, once; what the shop's own image does before it installs a shop.
if (PHP_SAPI !== 'cli') {
    http_response_code(404);
    exit;
}
define('WP_INSTALLING', true);
$url = parse_url(getenv('URUMI_STORE_URL'));
$_SERVER['HTTP_HOST'] = $url['host'];
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
require __DIR__ . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
add_filter('pre_wp_mail', '__return_true');
if (is_blog_installed()) {
    echo "stock-install: WordPress is installed already\n";
    exit;
}
wp_install(getenv('URUMI_STORE_TITLE'), getenv('URUMI_ADMIN_USERNAME'), getenv('URUMI_ADMIN_EMAIL'), false, '',
    wp_slash(getenv('URUMI_ADMIN_PASSWORD')));
echo "stock-install: WordPress is installed\n";
