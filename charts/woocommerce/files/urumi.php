<?php
/**
 * Plugin Name: Urumi
 * Description: Says whether this shop takes orders, and sends its mail by the platform's settings.
 *
 * `/?urumi-healthz` is 200 when an order can be placed and 503 with the reasons otherwise. `/?urumi-healthz=serving` asks
 * only whether pages are served, and is the kubelet's: an owner who closes the shop, turns cash on delivery off or
 * deactivates WooCommerce needs wp-admin to undo it, so that must not take the pod out of service. Where the database is
 * missing early.php has answered before.
 *
 * Anybody may ask, so no answer holds a version, a name or a secret.
 */

namespace Urumi;

/** What keeps the pod from serving pages. */
function serving_problems(): array
{
    global $wpdb;
    return $wpdb->get_var('SELECT 1') === '1' ? [] : ['The database does not answer.'];
}

/** What keeps a guest from placing an order. */
function problems(): array
{
    $problems = serving_problems();
    if ($problems !== []) {
        return $problems;
    }
    if (!class_exists('WooCommerce') || !did_action('woocommerce_init')) {
        return ['WooCommerce is not loaded: expected it among the active plugins.'];
    }
    if (get_option('woocommerce_coming_soon') === 'yes') {
        $problems[] = 'The shop is closed: "coming soon" is on, in WooCommerce > Settings > Site visibility.';
    }
    $cash = WC()->payment_gateways()->payment_gateways()['cod'] ?? null;
    if ($cash === null || $cash->enabled !== 'yes') {
        $problems[] = 'Cash on delivery is off, in WooCommerce > Settings > Payments.';
    }
    foreach (['shop', 'cart', 'checkout'] as $page) {
        if (get_post_status(wc_get_page_id($page)) !== 'publish') {
            $problems[] = "The $page page is missing or not published.";
        }
    }
    return [...$problems, ...product_problems()];
}

/** A shop without a product is one that its owner has not filled yet; one that sells nothing of what it has is broken. */
function product_problems(): array
{
    $request = new \WP_REST_Request('GET', '/wc/store/v1/products');
    $request->set_query_params(['per_page' => 10]);
    $answer = rest_do_request($request);
    if ($answer->get_status() !== 200) {
        return ["The Store API does not list products: expected 200, got {$answer->get_status()}."];
    }
    $products = $answer->get_data();
    $sellable = array_filter($products, fn($product) => ((array) $product)['is_purchasable'] ?? false);
    return $products === [] || $sellable !== [] ? [] : ['None of the newest products can be bought.'];
}

function answer_health_check(): void
{
    $problems = $_GET['urumi-healthz'] === 'serving' ? serving_problems() : problems();
    status_header($problems === [] ? 200 : 503);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    exit(wp_json_encode(['ok' => $problems === [], 'problems' => $problems]) . "\n");
}

/** Without a mail server nothing is sent, and callers are told so: false is how wp_mail says that it failed. */
function refuse_mail(): bool
{
    error_log('Urumi: a message was not sent, as this shop has no mail server (mail.host in the values of its chart).');
    return false;
}

function use_mail_server(\PHPMailer\PHPMailer\PHPMailer $mailer): void
{
    $mailer->isSMTP();
    $mailer->Host = getenv('URUMI_MAIL_HOST');
    $mailer->Port = (int) getenv('URUMI_MAIL_PORT');
    $mailer->Timeout = 10;
    $encryption = getenv('URUMI_MAIL_ENCRYPTION');
    $mailer->SMTPSecure = ['starttls' => 'tls', 'tls' => 'ssl'][$encryption] ?? '';
    // PHPMailer would use STARTTLS wherever it is offered, also where it was not asked for.
    $mailer->SMTPAutoTLS = false;
    $mailer->SMTPAuth = (string) getenv('URUMI_MAIL_USERNAME') !== '';
    $mailer->Username = (string) getenv('URUMI_MAIL_USERNAME');
    $mailer->Password = (string) getenv('URUMI_MAIL_PASSWORD');
}

if (isset($_GET['urumi-healthz'])) {
    add_action('wp_loaded', __NAMESPACE__ . '\answer_health_check');
}
if ((string) getenv('URUMI_MAIL_HOST') === '') {
    add_filter('pre_wp_mail', __NAMESPACE__ . '\refuse_mail');
} else {
    add_action('phpmailer_init', __NAMESPACE__ . '\use_mail_server');
    // WooCommerce sets the address of its own settings, and mail servers refuse what is not theirs.
    add_filter('wp_mail_from', fn($from) => getenv('URUMI_MAIL_FROM') ?: $from, PHP_INT_MAX);
}
