<?php
/** What the installation steps share: log output, environment variables, and a simulated request for WordPress. */

function log_progress(string $message): void
{
    fwrite(STDOUT, "install: $message\n");
}

function abort_install(string $message): never
{
    fwrite(STDERR, "install: $message\n");
    exit(1);
}

function required_env(string $name): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        abort_install("cannot install the shop: environment variable $name is not set. The chart sets it.");
    }
    return $value;
}

function wordpress_root(): string
{
    return getenv('URUMI_WORDPRESS_ROOT') ?: '/usr/src/wordpress';
}

/** Simulate a request to the shop's own address, because WordPress and its plugins expect one. */
function simulate_request(): void
{
    $url = parse_url(required_env('URUMI_STORE_URL'));
    $_SERVER['HTTP_HOST'] = isset($url['port']) ? "{$url['host']}:{$url['port']}" : $url['host'];
    $_SERVER['SERVER_NAME'] = $url['host'];
    $_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
    $_SERVER['REQUEST_METHOD'] = 'GET';
    $_SERVER['REQUEST_URI'] = '/';
    $_SERVER['REMOTE_ADDR'] = '127.0.0.1';
    if ($url['scheme'] === 'https') {
        $_SERVER['HTTPS'] = 'on';
    }
}

/** Disable mail, because WordPress and WooCommerce would notify the administrator, whose account the platform provides. */
function disable_mail(): void
{
    remove_all_filters('pre_wp_mail');
    add_filter('pre_wp_mail', '__return_false');
}
