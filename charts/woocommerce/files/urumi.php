<?php
/**
 * Plugin Name: Urumi
 * Description: Reports whether this shop can accept orders, and sends its mail with the platform's settings.
 *
 * `/?urumi-healthz` returns 200 if an order can be placed, and otherwise 503 with the reasons. `/?urumi-healthz=serving`
 * checks only whether pages are served, and is the readiness probe: an owner who closes the shop, disables cash on delivery
 * or deactivates WooCommerce needs wp-admin to undo it, so the pod must stay ready. If the database is unavailable,
 * early.php has answered before.
 *
 * The endpoints are public, so no response contains a version, a name or a secret.
 */

namespace Urumi;

/** Return what prevents the pod from serving pages. */
function serving_problems(): array
{
    global $wpdb;
    return $wpdb->get_var('SELECT 1') === '1' ? [] : ['The database does not respond.'];
}

/** Return what prevents a guest from placing an order. */
function problems(): array
{
    $problems = serving_problems();
    if ($problems !== []) {
        return $problems;
    }
    if (!class_exists('WooCommerce') || !did_action('woocommerce_init')) {
        return ['WooCommerce is not loaded. Activate it in Plugins.'];
    }
    if (get_option('woocommerce_coming_soon') === 'yes') {
        $problems[] = 'The shop is closed: "Coming soon" is on. Turn it off in WooCommerce > Settings > Site visibility.';
    }
    $cash = WC()->payment_gateways()->payment_gateways()['cod'] ?? null;
    if ($cash === null || $cash->enabled !== 'yes') {
        $problems[] = 'Cash on delivery is disabled. Enable it in WooCommerce > Settings > Payments.';
    }
    foreach (['shop', 'cart', 'checkout'] as $page) {
        if (get_post_status(wc_get_page_id($page)) !== 'publish') {
            $problems[] = "The $page page is missing or not published. Publish it in Pages.";
        }
    }
    return [...$problems, ...product_problems()];
}

/** A shop without products is healthy, because its owner may not have added any yet; one that cannot sell any is not. */
function product_problems(): array
{
    $request = new \WP_REST_Request('GET', '/wc/store/v1/products');
    $request->set_query_params(['per_page' => 10]);
    $response = rest_do_request($request);
    if ($response->get_status() !== 200) {
        return ["The Store API failed to list products: expected status 200, got {$response->get_status()}."];
    }
    $products = $response->get_data();
    $sellable = array_filter($products, fn($product) => ((array) $product)['is_purchasable'] ?? false);
    $has_problem = $products !== [] && $sellable === [];
    return $has_problem ? ['None of the 10 newest products can be bought. Check their prices and stock.'] : [];
}

function answer_health_check(): void
{
    $problems = $_GET['urumi-healthz'] === 'serving' ? serving_problems() : problems();
    status_header($problems === [] ? 200 : 503);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    exit(wp_json_encode(['ok' => $problems === [], 'problems' => $problems]) . "\n");
}

/** Return false to the callers of wp_mail, which means failure, because no mail server is configured. */
function reject_mail(): bool
{
    // No error word, because the platform would report this line as the cause if the container ended later.
    error_log('Urumi: e-mail not sent: no mail server is configured. Set mail.host in the values of the chart.');
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
    // PHPMailer otherwise uses STARTTLS whenever the server offers it, even if the setting is another one.
    $mailer->SMTPAutoTLS = false;
    $mailer->SMTPAuth = (string) getenv('URUMI_MAIL_USERNAME') !== '';
    $mailer->Username = (string) getenv('URUMI_MAIL_USERNAME');
    $mailer->Password = (string) getenv('URUMI_MAIL_PASSWORD');
}

if (isset($_GET['urumi-healthz'])) {
    add_action('wp_loaded', __NAMESPACE__ . '\answer_health_check');
}
if ((string) getenv('URUMI_MAIL_HOST') === '') {
    add_filter('pre_wp_mail', __NAMESPACE__ . '\reject_mail');
} else {
    add_action('phpmailer_init', __NAMESPACE__ . '\use_mail_server');
    // WooCommerce sets the sender of its own settings, and mail servers reject senders of other domains.
    add_filter('wp_mail_from', fn($from) => getenv('URUMI_MAIL_FROM') ?: $from, PHP_INT_MAX);
}
