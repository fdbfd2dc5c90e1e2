<?php
/**
 * Answers the health check where WordPress itself cannot, from wp-config.php, before anything of WordPress is loaded.
 *
 * Without its database WordPress answers 500, and without its tables it redirects to its installation, which a kubelet
 * takes for success. Both are 503 with the reason here. Everything later is urumi.php's.
 */

namespace Urumi\Early;

function refuse(string $problem): never
{
    http_response_code(503);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    exit(json_encode(['ok' => false, 'problems' => [$problem]]) . "\n");
}

function check_database(string $prefix): void
{
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    [$host, $port] = explode(':', DB_HOST . ':3306');
    try {
        $database = mysqli_init();
        $database->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
        @$database->real_connect($host, DB_USER, DB_PASSWORD, DB_NAME, (int) $port);
        $found = $database->query("SELECT 1 FROM `{$prefix}options` WHERE option_name = 'siteurl'")->fetch_column();
        $database->close();
    } catch (\mysqli_sql_exception $error) {
        // The words of the database name its users and hosts, and anybody may ask here: the code is enough.
        if ($error->getCode() !== 1146) {
            refuse("The database does not answer (error {$error->getCode()}).");
        }
        $found = false;
    }
    mysqli_report(MYSQLI_REPORT_OFF);
    if (!$found) {
        refuse('WordPress is not installed: the database has no tables of it.');
    }
}

if (isset($_GET['urumi-healthz'])) {
    check_database($table_prefix ?? 'wp_');
}
