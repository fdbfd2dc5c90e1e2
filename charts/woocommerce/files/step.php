<?php
/** What the steps of an installation share: how they speak, what they need, and a request for WordPress to answer. */

function say(string $words): void
{
    fwrite(STDOUT, "install: $words\n");
}

function refuse(string $words): never
{
    fwrite(STDERR, "install: $words\n");
    exit(1);
}

function need(string $name): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        refuse("the variable $name is not set.");
    }
    return $value;
}

function wordpress_root(): string
{
    return getenv('URUMI_WORDPRESS_ROOT') ?: '/usr/src/wordpress';
}

/** WordPress and its plugins expect a request, so this is one for the shop's own address. */
function imitate_request(): void
{
    $url = parse_url(need('URUMI_STORE_URL'));
    $_SERVER['HTTP_HOST'] = $_SERVER['SERVER_NAME'] = $url['host'];
    $_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
    $_SERVER['REQUEST_METHOD'] = 'GET';
    $_SERVER['REQUEST_URI'] = '/';
    $_SERVER['REMOTE_ADDR'] = '127.0.0.1';
    if ($url['scheme'] === 'https') {
        $_SERVER['HTTPS'] = 'on';
    }
}

/** WordPress and WooCommerce would write to the administrator about what is done here; the platform tells it. */
function send_no_mail(): void
{
    remove_all_filters('pre_wp_mail');
    add_filter('pre_wp_mail', '__return_false');
}
