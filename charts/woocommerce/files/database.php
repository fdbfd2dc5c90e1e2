<?php
/** The connection to the shop's database: waits until it starts, and fails early if it keeps refusing the login. */

// MariaDB's error codes for a wrong password, a database without permission, and a database that does not exist.
const LOGIN_ERRORS = [1044, 1045, 1049, 1698];
const LOGIN_REFUSED_SECONDS = 10;

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function connect(): mysqli
{
    [$host, $port] = explode(':', required_env('WORDPRESS_DB_HOST') . ':3306');
    $database = mysqli_init();
    $database->options(MYSQLI_OPT_CONNECT_TIMEOUT, 5);
    [$user, $password] = [required_env('WORDPRESS_DB_USER'), required_env('WORDPRESS_DB_PASSWORD')];
    @$database->real_connect($host, $user, $password, required_env('WORDPRESS_DB_NAME'), (int) $port);
    return $database;
}

/**
 * Wait until a login succeeds. An open port is not sufficient, because the user is created after the port opens. A database
 * that refuses the login for LOGIN_REFUSED_SECONDS has finished starting and its volume has another password; the
 * container then fails, so that the platform reports the cause.
 */
function wait_for_database(int $seconds): mysqli
{
    $began = microtime(true);
    $refused_since = null;
    $last_reported = '';
    while (true) {
        try {
            $database = connect();
            log_progress(sprintf('connected to the database after %.1f s.', microtime(true) - $began));
            return $database;
        } catch (mysqli_sql_exception $error) {
            $reason = sprintf('%s (%d)', $error->getMessage(), $error->getCode());
            $refused_since = in_array($error->getCode(), LOGIN_ERRORS, true) ? $refused_since ?? microtime(true) : null;
        }
        [$user, $host] = [required_env('WORDPRESS_DB_USER'), required_env('WORDPRESS_DB_HOST')];
        $where = "$user@$host/" . required_env('WORDPRESS_DB_NAME');
        if (microtime(true) - $began > $seconds) {
            abort_install("could not log in to the database $where within $seconds s: $reason.");
        }
        if ($refused_since !== null && microtime(true) - $refused_since > LOGIN_REFUSED_SECONDS) {
            abort_install("the database $where refused the login: $reason.");
        }
        if ($reason !== $last_reported) {
            log_progress("waiting for the database $where, up to $seconds s: $reason.");
            $last_reported = $reason;
        }
        usleep(500_000);
    }
}
