<?php
/**
 * Answers the health check if WordPress cannot. wp-config.php includes this file before WordPress is loaded.
 *
 * Without its database WordPress returns 500, and without its tables a redirect to its installation, which a probe counts
 * as success. In both cases this file returns 503 with the reason. urumi.php does the other checks.
 */

namespace Urumi\Early;

function fail(string $problem): never
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
        // The endpoint is public and the database's message contains users and hosts, so only the code is returned.
        if ($error->getCode() !== 1146) {
            fail("The database does not respond (error {$error->getCode()}).");
        }
        $found = false;
    }
    mysqli_report(MYSQLI_REPORT_OFF);
    if (!$found) {
        fail('WordPress is not installed: the database does not contain its tables.');
    }
}

if (isset($_GET['urumi-healthz'])) {
    check_database($table_prefix ?? 'wp_');
}
