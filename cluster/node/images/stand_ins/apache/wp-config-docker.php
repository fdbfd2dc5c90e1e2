<?php
// Every setting from the environment, as the official image's wp-config-docker.php has it.
define('DB_HOST', getenv('WORDPRESS_DB_HOST') ?: 'mysql');
define('DB_NAME', getenv('WORDPRESS_DB_NAME') ?: 'wordpress');
define('DB_USER', getenv('WORDPRESS_DB_USER'));
define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD'));
define('DB_CHARSET', getenv('WORDPRESS_DB_CHARSET') ?: 'utf8mb4');
define('DB_COLLATE', '');
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define("{$name}_KEY", getenv("WORDPRESS_{$name}_KEY"));
    define("{$name}_SALT", getenv("WORDPRESS_{$name}_SALT"));
}
$table_prefix = getenv('WORDPRESS_TABLE_PREFIX') ?: 'wp_';
if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
    $_SERVER['HTTPS'] = 'on';
}
eval((string) getenv('WORDPRESS_CONFIG_EXTRA'));
if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
